// Tokens of texts as an editor sees them: `node tokens.cjs < request` with NODE_PATH at the packages.
//
// Request, JSON: {grammars: [file...], scope, injections: [scope...], texts: [text...]}. Answer, JSON: for each
// text, for each line, [start, end, scopes...] of each token, in UTF-16 units.
const fs = require("fs");
const path = require("path");
const textmate = require("vscode-textmate");
const oniguruma = require("vscode-oniguruma");

async function main() {
  const request = JSON.parse(fs.readFileSync(0, "utf8"));
  const wasm = path.join(path.dirname(require.resolve("vscode-oniguruma")), "onig.wasm");
  await oniguruma.loadWASM(fs.readFileSync(wasm).buffer);
  const grammars = new Map();
  for (const file of request.grammars) {
    const grammar = textmate.parseRawGrammar(fs.readFileSync(file, "utf8"), file);
    grammars.set(grammar.scopeName, grammar);
  }
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (scope) => grammars.get(scope) ?? null,
    getInjections: (scope) => (scope === request.scope ? request.injections : undefined),
  });
  const grammar = await registry.loadGrammar(request.scope);
  const answer = request.texts.map((text) => {
    let state = textmate.INITIAL;
    return text.split("\n").map((line) => {
      const result = grammar.tokenizeLine(line, state);
      state = result.ruleStack;
      return result.tokens.map((token) => [token.startIndex, token.endIndex, ...token.scopes]);
    });
  });
  process.stdout.write(JSON.stringify(answer));
}

main().catch((problem) => {
  console.error(problem);
  process.exit(1);
});
