-- A small SaaS: people make content, content has files, everything costs credits.
CREATE TABLE organizations (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL,
  plan text NOT NULL CHECK (plan IN ('free', 'team', 'business')),
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE users (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  organization_id bigint NOT NULL REFERENCES organizations (id),
  email text NOT NULL UNIQUE,
  password_hash text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE content_jobs (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users (id),
  title text NOT NULL,
  status text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'failed')),
  input jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON content_jobs (user_id);
CREATE INDEX ON content_jobs (created_at);
CREATE TABLE content_artifacts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id bigint NOT NULL REFERENCES content_jobs (id),
  artifact_type text NOT NULL,
  storage_key text NOT NULL UNIQUE,
  bytes bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON content_artifacts (job_id);
CREATE TABLE credit_balances (
  user_id bigint PRIMARY KEY REFERENCES users (id),
  balance bigint NOT NULL
);
CREATE TABLE credit_transactions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  user_id bigint NOT NULL REFERENCES users (id),
  amount bigint NOT NULL,
  reason text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON credit_transactions (user_id);

INSERT INTO organizations (name, plan)
SELECT 'Organization ' || n, (ARRAY['free', 'team', 'business'])[1 + n % 3] FROM generate_series(1, 2000) n;
INSERT INTO users (organization_id, email, password_hash)
SELECT 1 + n % 2000, 'user' || n || '@example.com', md5(n::text) || md5('salt' || n)
FROM generate_series(1, 20000) n;
INSERT INTO content_jobs (user_id, title, status, input, created_at)
SELECT 1 + (n * 7919::bigint) % 20000, 'Job number ' || n, (ARRAY['done', 'done', 'done', 'failed'])[1 + n % 4],
       jsonb_build_object('prompt', md5(n::text) || md5((n + 1)::text) || md5((n + 2)::text) || md5((n + 3)::text),
                          'voice', 'voice-' || n % 40, 'seconds', n % 600,
                          'tags', jsonb_build_array(md5((n / 3)::text), md5((n / 5)::text), md5((n / 7)::text))),
       now() - ((250000 - n) || ' seconds')::interval
FROM generate_series(1, 250000) n;
INSERT INTO credit_transactions (user_id, amount, reason, created_at)
SELECT 1 + (n * 104729::bigint) % 20000, 1 + n % 50, 'purchase', now() - ((800000 - n) || ' seconds')::interval
FROM generate_series(1, 800000) n;
INSERT INTO credit_balances (user_id, balance)
SELECT u.id, coalesce(sum(t.amount), 0) FROM users u LEFT JOIN credit_transactions t ON t.user_id = u.id GROUP BY u.id;
ANALYZE;
