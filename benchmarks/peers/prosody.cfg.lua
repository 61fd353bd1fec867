-- prosody as a peer: passwords in files, the archive on PostgreSQL.
data_path = "@HOME@/data"
pidfile = "@HOME@/prosody.pid"
interfaces = { "127.0.0.1" }
c2s_ports = { @PORT@ }
s2s_ports = {}
http_ports = {}
https_ports = {}
modules_enabled = { "roster", "saslauth", "disco", "smacks", "mam", "offline", "ping" }
modules_disabled = { "s2s", "http" }
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = { archive = "sql", accounts = "internal", roster = "internal" }
sql = {
  driver = "PostgreSQL", host = "127.0.0.1", port = @DB_PORT@,
  database = "@DATABASE@", username = "@DATABASE@", password = "@DB_PASSWORD@",
}
default_archive_policy = true
limits = {}
log = { warn = "@HOME@/prosody.log" }
VirtualHost "bench.local"
