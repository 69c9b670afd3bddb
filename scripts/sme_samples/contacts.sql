-- What the bank did: visits, calls, messages, offers.
WITH numbered AS (
    SELECT *, unnest(range(0, whole(0, 6, draw(hashed('contacts', i, 'n'), 0)))) AS place FROM latent
), drawn AS (
    SELECT *, hashed('contact', i, place) AS a FROM numbered
)
SELECT firm_id,
       extracted - whole(1, 540, draw(a, 0)) AS happened,
       pick(['visit', 'call', 'call', 'text_message', 'text_message', 'mail'], draw(a, 1)) AS channel,
       ['review', 'instalment_reminder', 'renewal', 'offer', 'complaint'][
           band([0.35, 0.65, 0.8, 0.95, 1.0], draw(a, 2))] AS topic,
       region || '-M' || lpad(whole(1, 12, draw(hashed('firm', i, 'g'), 2))::VARCHAR, 2, '0') AS by_whom
FROM drawn
ORDER BY i, happened, place
