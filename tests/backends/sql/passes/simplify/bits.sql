-- bits of one number are tested and moved together
(m & 1) <> 0 OR (m & 4) <> 0
(m & 1) <> 0 OR p OR (m & 8) <> 0
(m & 1) = 0 AND (m & 2) = 0
NOT ((m & 1) <> 0)
(m & 1) <> 0 AND (m & 2) <> 0
CASE WHEN (m & 1) <> 0 THEN 2 ELSE 0 END + CASE WHEN (m & 4) <> 0 THEN 8 ELSE 0 END
CASE WHEN (m & 2) <> 0 THEN 1 ELSE 0 END + CASE WHEN (m & 8) <> 0 THEN 4 ELSE 0 END + CASE WHEN p THEN 16 ELSE 0 END
CASE WHEN (m & 1) <> 0 AND p THEN 2 ELSE 0 END + CASE WHEN (m & 2) <> 0 AND p THEN 4 ELSE 0 END
CASE WHEN (m & 1) <> 0 THEN 1 ELSE 0 END + CASE WHEN (m & 2) <> 0 THEN 8 ELSE 0 END
CASE WHEN (m & 8) <> 0 THEN 1099511627776 ELSE 0 END + CASE WHEN (m & 4) <> 0 THEN 549755813888 ELSE 0 END
