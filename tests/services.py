"""CI files carried out here as their services would: GitHub's and GitLab's, in a repository with a branch `main`."""
from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from engine import __version__

FILES = {"github": ".github/workflows/policies.yml", "gitlab": ".gitlab-ci.yml"}


IDENTITY = {f"GIT_{who}_{what}": said for who in ("AUTHOR", "COMMITTER")
            for what, said in (("NAME", "A"), ("EMAIL", "a@example.com"))}

#: What services do to a checkout that they use again; it keeps what changed in files of the repository.
CLEAN = "git clean -qffdx"


class Job(NamedTuple):
    """What a service came to: the commands that it ran, and the exit code of the one that failed, else 0."""

    ran: list[str]
    code: int
    out: str


def begin(folder: Path, origin: Path) -> None:
    """Put a folder on the branch `main` of a new repository `origin`, and go on on the branch `change`."""
    for command in (
        f"git init -q -b main --bare '{origin}'", "git init -q -b main", "git add -A", "git commit -qm begin",
        f"git remote add origin '{origin}'", "git push -q origin main", "git checkout -q -b change",
    ):
        code, out = shell(f"cd '{folder}' && {command}", GIT_CONFIG_GLOBAL=os.devnull, **IDENTITY)
        assert code == 0, out


def shell(script: str, **variables: str) -> tuple[int, str]:
    """A script as the services run it: it ends at the first command that fails."""
    done = subprocess.run(["bash", "-e", "-c", script], env={**os.environ, **variables}, capture_output=True,
                          encoding="utf-8", timeout=120)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def github(event: str = "pull_request") -> Job:
    stated: Any = yaml.safe_load(Path(FILES["github"]).read_text("utf-8"))
    code, text = shell(CLEAN)
    ran: list[str] = []
    for step in stated["jobs"]["policies"]["steps"]:
        condition = step.get("if", "")
        assert condition in ("", "always()", "github.event_name == 'pull_request'")
        if "run" not in step or code or (condition.startswith("github") and event != "pull_request"):
            continue
        if step["run"].startswith("pip install"):
            assert step["run"] == f"pip install tierwise=={__version__}"
            continue
        assert step.get("env", {}) in ({}, {"TARGET": "${{ github.base_ref }}"})
        code, out = shell(step["run"], TARGET="main", GITHUB_STEP_SUMMARY="summary.md")
        ran.append(step["run"])
        text += out
    return Job(ran, code, text)


def gitlab(event: str = "merge_request_event") -> Job:
    stated: Any = yaml.safe_load(Path(FILES["gitlab"]).read_text("utf-8"))
    assert stated.pop(".policies")["before_script"] == [f"pip install tierwise=={__version__}"]
    _, text = shell(CLEAN)
    ran: list[str] = []
    for name, job in stated.items():
        asked = [rule["if"] for rule in job["rules"]]
        assert '$CI_PIPELINE_SOURCE == "merge_request_event"' in asked
        assert ("$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in asked) == (name == "check")
        if event != "merge_request_event" and len(asked) == 1:
            continue
        code, out = shell("\n".join(job["script"]), CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
        ran += job["script"]
        text += out
        if code:
            return Job(ran, code, text)
    return Job(ran, 0, text)


SERVICES = {"github": github, "gitlab": gitlab}
