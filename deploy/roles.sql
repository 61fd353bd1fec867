-- Run once in the product's database, as a superuser, after the two roles exist: rongliao_owner owns every table and
-- migrates, rongliao_app is what servers and workers connect as. The migrations grant the latter what it may do, and
-- take back what must never be changed (postings, entries, audit).
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO rongliao_owner;
GRANT USAGE ON SCHEMA public TO rongliao_app;
