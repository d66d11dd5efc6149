package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// install brings the three peers from Debian, where they are not there, and has none of
// them start as a service. An error is apt's: no network, or not root.
func install() error {
	missing := false
	for _, p := range []string{"haproxy", "nginx", "apache2"} {
		if _, err := exec.LookPath(p); err != nil {
			missing = true
		}
	}
	if _, err := os.Stat("/usr/lib/apache2/modules/mod_auth_openidc.so"); err == nil && !missing {
		return nil
	}
	const policy = "/usr/sbin/policy-rc.d"
	if _, err := os.Stat(policy); err != nil {
		if err := os.WriteFile(policy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
			return err
		}
		defer os.Remove(policy)
	}
	cmd := exec.Command("sh", "-c", "apt-get update -qq && apt-get install -y -qq --no-install-recommends haproxy apache2 libapache2-mod-auth-openidc nginx")
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// cell is one way to run all.
type cell struct {
	workers int
	tls     bool
}

func (s *signer) haproxy(at, upstream string, c cell) *process {
	crt := ""
	if c.tls {
		crt = " ssl crt " + filepath.Join(s.dir, "tls.pem") + " alpn http/1.1"
	}
	path := filepath.Join(s.dir, "haproxy.cfg")
	write(path, fmt.Appendf(nil, `global
  nbthread %d
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend f
  bind %s%s
  http-request set-var(txn.bearer) http_auth_bearer
  http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')
  http-request deny deny_status 401 unless { var(txn.alg) -m str RS256 }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify(txn.alg,"%s") 1 }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_payload_query('$.iss') -m str %s }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_payload_query('$.aud') -m str %s }
  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 if { var(txn.exp),sub(txn.now) -m int lt 0 }
  default_backend b
backend b
  server s %s pool-max-conn -1
`, c.workers, at, crt, filepath.Join(s.dir, "public.pem"), issuer, audience, upstream))
	return start("haproxy", at, "haproxy", "-db", "-f", path)
}

func (s *signer) nginx(at, upstream string, c cell) *process {
	tls, crt := "", ""
	if c.tls {
		tls = " ssl"
		crt = fmt.Sprintf("ssl_certificate %[1]s/tls.crt; ssl_certificate_key %[1]s/tls.key;", s.dir)
	}
	path := filepath.Join(s.dir, "nginx.conf")
	write(path, fmt.Appendf(nil, `daemon off;
worker_processes %d;
user root;
pid %s/nginx.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path %[2]s/n1; proxy_temp_path %[2]s/n2; fastcgi_temp_path %[2]s/n3; uwsgi_temp_path %[2]s/n4; scgi_temp_path %[2]s/n5;
  upstream u { server %s; keepalive 512; keepalive_requests 100000000; }
  server {
    listen %s%s; %s
    location / { proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; }
  }
}
`, c.workers, s.dir, upstream, at, tls, crt))
	return start("nginx", at, "nginx", "-p", s.dir, "-e", "stderr", "-c", path)
}

func (s *signer) apache(at, upstream string, c cell) *process {
	tls, load := "", ""
	if c.tls {
		load = "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\nLoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so"
		tls = fmt.Sprintf("SSLEngine on\nSSLCertificateFile %[1]s/tls.crt\nSSLCertificateKeyFile %[1]s/tls.key", s.dir)
	}
	var modules strings.Builder
	for _, m := range []string{"mpm_event", "authn_core", "authz_core", "authz_user", "auth_openidc", "proxy", "proxy_http"} {
		fmt.Fprintf(&modules, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", m, m)
	}
	path := filepath.Join(s.dir, "apache.conf")
	write(path, fmt.Appendf(nil, `ServerName localhost
ServerRoot %[1]s
PidFile %[1]s/apache.pid
DefaultRuntimeDir %[1]s
ErrorLog %[1]s/apache.log
LogLevel error
%[2]s%[3]s
Listen %[4]s
User www-data
Group www-data
StartServers %[5]d
ServerLimit %[5]d
ThreadLimit 320
ThreadsPerChild 320
MaxRequestWorkers %[6]d
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
%[7]s
OIDCOAuthVerifyCertFiles %[8]s#%[1]s/cert.pem
OIDCOAuthRemoteUserClaim oid
OIDCCacheType shm
<Location />
  AuthType oauth20
  <RequireAll>
    Require claim aud:%[9]s
    Require claim iss:%[10]s
  </RequireAll>
</Location>
ProxyPass / http://%[11]s/ keepalive=On max=320
`, s.dir, modules.String(), load, at, c.workers, 320*c.workers, tls, s.kid, audience, issuer, upstream))
	return start("apache", at, "apache2", "-D", "FOREGROUND", "-f", path)
}
