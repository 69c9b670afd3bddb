-- What the other files draw from. `h` is 63 bits of an MD5 of the seed and a name, so that a draw is the same on every
-- machine and in every version of the database, and does not hang on the size of the portfolio; `k` is 0, 1 or 2. Names
-- of macros' own end in an underscore, since a macro takes a column of the same name for its own.
CREATE MACRO hashed(name_, number_, part_) AS                                          -- the first half of the MD5
    (md5_number(concat_ws(':', getvariable('seed'), name_, number_, part_)) >> 64)::UBIGINT;
CREATE MACRO draw(h_, k_) AS (((h_ >> (21 * k_)) & 2097151) + 0.5) / 2097152;
CREATE MACRO between_(low_, high_, u_) AS low_ + (high_ - low_) * u_;
CREATE MACRO whole(low_, high_, u_) AS (low_ + floor((high_ - low_ + 1) * u_))::INTEGER;      -- both ends included
CREATE MACRO normal(u_) AS ln(u_ / (1 - u_)) / 1.702;                                     -- nearly: a logistic one
CREATE MACRO to_unit(x_, unit_) AS greatest(unit_, round(x_ / unit_) * unit_)::BIGINT;
CREATE MACRO pick(list_, u_) AS list_[1 + floor(len(list_) * u_)::INTEGER];
CREATE MACRO money(x_) AS round(x_, 2)::DECIMAL(18, 2);
-- The place of a draw among shares that have been added up: [0.5, 0.8, 1.0] gives 1, 2 or 3.
CREATE MACRO band(ends_, u_) AS 1 + len(list_filter(ends_, lambda e_: e_ <= u_));
