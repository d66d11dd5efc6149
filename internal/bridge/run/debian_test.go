package run_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/bridge"
)

// program runs one of Debian's programs; without it the test is skipped loudly, and
// fails where CI has it installed.
func (r *rig) program(dir, stdin, name string, args ...string) (string, error) {
	r.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			r.Fatalf("no %s to test with: %v", name, err)
		}
		if t, ok := r.TB.(*testing.T); ok {
			t.Skipf("NOT TESTED with %s: %v", name, err)
		}
	}
	ctx, stop := context.WithTimeout(r.Context(), 60*time.Second)
	defer stop()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Stdin = dir, strings.NewReader(stdin)
	cmd.Env = []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "LC_ALL=C", "XDG_CONFIG_HOME=" + dir, "XDG_RUNTIME_DIR=" + dir, "TMPDIR=" + dir,
		"MAILRC=/dev/null", "FETCHMAILHOME=" + dir}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// knowsTLS skips where swaks lacks what it has TLS by (libnet-ssleay-perl).
func (r *rig) knowsTLS(dir string) {
	r.Helper()
	if _, err := r.program(dir, "", "perl", "-MNet::SSLeay", "-e", "1"); err != nil {
		if os.Getenv("CI") != "" {
			r.Fatalf("swaks has no TLS: install libnet-ssleay-perl: %v", err)
		}
		if t, ok := r.TB.(*testing.T); ok {
			t.Skipf("NOT TESTED with swaks over TLS: libnet-ssleay-perl is not there")
		}
	}
}

func port(at string) string { _, p, _ := net.SplitHostPort(at); return p }

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Debian's mail programs go through the bridge as they go anywhere else.
func TestDebian(t *testing.T) {
	t.Parallel()
	r := newRig(t, "limits: {perSource: 100}")
	_, pass := r.device(ada, bridge.SMTP, bridge.IMAP, bridge.POP3)
	_, other := r.device(ben, bridge.IMAP, bridge.POP3)
	sent := 0
	arrived := func(t *testing.T) {
		t.Helper()
		sent++
		q := &rig{TB: t, where: r.where, roots: r.roots, log: r.log}
		q.until("it arrived", func() bool {
			got, err := q.inbox(ben, other)
			q.must(err)
			return len(got) >= sent
		})
	}
	in := func(t *testing.T) (*rig, string) {
		return &rig{TB: t, where: r.where, roots: r.roots, cert: r.cert, log: r.log}, t.TempDir()
	}
	// One after the other: each message is waited for.
	for name, run := range map[string]func(*rig, string) (string, error){
		"swaks STARTTLS": func(q *rig, dir string) (string, error) {
			q.knowsTLS(dir)
			return q.program(dir, "", "swaks", "--server", q.where["smtp"], "--tls", "--tls-ca-path", q.cert, "--tls-verify", "--auth", "PLAIN", "--auth-user", ada,
				"--auth-password", pass, "--from", ada, "--to", ben, "--header", "Subject: swaks", "--helo", "scanner.example")
		},
		"swaks TLS, LOGIN": func(q *rig, dir string) (string, error) {
			q.knowsTLS(dir)
			return q.program(dir, "", "swaks", "--server", q.where["smtps"], "--tls-on-connect", "--auth", "LOGIN", "--auth-user", ada, "--auth-password", pass,
				"--from", ada, "--to", ben, "--pipeline", "--helo", "scanner.example")
		},
		"swaks in the clear": func(q *rig, dir string) (string, error) {
			return q.program(dir, "", "swaks", "--server", q.where["plain"], "--auth", "PLAIN", "--auth-user", ada, "--auth-password", pass, "--from", ada, "--to", ben,
				"--helo", "scanner.example")
		},
		"curl": func(q *rig, dir string) (string, error) {
			return q.program(dir, body(ada), "curl", "-sS", "--cacert", q.cert, "--url", "smtps://localhost:"+port(q.where["smtps"]), "--mail-from", ada,
				"--mail-rcpt", ben, "--upload-file", "-", "--user", ada+":"+pass)
		},
		"msmtp": func(q *rig, dir string) (string, error) {
			write(q, filepath.Join(dir, "msmtprc"), fmt.Sprintf("account a\nhost localhost\nport %s\ntls on\ntls_starttls on\ntls_trust_file %s\nauth plain\n"+
				"user %s\npassword %s\nfrom %s\naccount default : a\n", port(q.where["smtp"]), q.cert, ada, pass, ada))
			return q.program(dir, body(ada), "msmtp", "-C", filepath.Join(dir, "msmtprc"), ben)
		},
		"s-nail": func(q *rig, dir string) (string, error) {
			return q.program(dir, "Hello.\n", "s-nail", "-:/", "-Sv15-compat", "-Smta=smtp://"+strings.ReplaceAll(ada, "@", "%40")+":"+pass+"@localhost:"+
				port(q.where["smtp"]), "-Ssmtp-use-starttls", "-Ssmtp-auth=login", "-Stls-verify=strict", "-Stls-ca-file="+q.cert, "-Stls-ca-no-defaults",
				"-Sfrom="+ada, "-Shostname=scanner.example", "-s", "s-nail", ben)
		},
	} {
		t.Run(name, func(t *testing.T) {
			q, dir := in(t)
			if out, err := run(q, dir); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			arrived(t)
		})
	}
	if sent == 0 {
		t.Skip("NOT TESTED: none of the programs that send is here")
	}
	for name, run := range map[string]func(*rig, string) (string, error){
		"curl IMAP": func(q *rig, dir string) (string, error) {
			return q.program(dir, "", "curl", "-sS", "--cacert", q.cert, "--url", "imaps://localhost:"+port(q.where["imaps"])+"/INBOX;MAILINDEX=1", "--user", ben+":"+other)
		},
		"curl POP3": func(q *rig, dir string) (string, error) {
			return q.program(dir, "", "curl", "-sS", "--cacert", q.cert, "--ssl-reqd", "--url", "pop3://localhost:"+port(q.where["pop3"])+"/1", "--user", ben+":"+other)
		},
		"mpop": func(q *rig, dir string) (string, error) {
			write(q, filepath.Join(dir, "mpoprc"), fmt.Sprintf("account a\nhost localhost\nport %s\ntls on\ntls_starttls on\ntls_trust_file %s\nuser %s\n"+
				"password %s\nkeep on\ndelivery mbox %s\naccount default : a\n", port(q.where["pop3"]), q.cert, ben, other, filepath.Join(dir, "box")))
			out, err := q.program(dir, "", "mpop", "-C", filepath.Join(dir, "mpoprc"), "--uidls-file="+filepath.Join(dir, "uidls"))
			return readBox(q, out, filepath.Join(dir, "box")), err
		},
		"fetchmail": func(q *rig, dir string) (string, error) {
			write(q, filepath.Join(dir, "rc"), fmt.Sprintf("poll localhost protocol imap port %s user \"%s\" password \"%s\" ssl sslcertck sslcertfile %s keep "+
				"mda \"cat >> %s\"\n", port(q.where["imaps"]), ben, other, q.cert, filepath.Join(dir, "box")))
			out, err := q.program(dir, "", "fetchmail", "-f", filepath.Join(dir, "rc"), "--nodetach", "-a", "--pidfile", filepath.Join(dir, "pid"), "-v")
			return readBox(q, out, filepath.Join(dir, "box")), err
		},
		"mbsync": func(q *rig, dir string) (string, error) {
			write(q, filepath.Join(dir, "rc"), fmt.Sprintf("IMAPAccount a\nHost localhost\nPort %s\nUser %s\nPass %s\nSSLType STARTTLS\nCertificateFile %s\n\n"+
				"IMAPStore far\nAccount a\n\nMaildirStore near\nPath %[5]s/\nInbox %[5]s/INBOX\n\nChannel c\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\n"+
				"SyncState *\n", port(q.where["imap"]), ben, other, q.cert, filepath.Join(dir, "mail")))
			if err := os.MkdirAll(filepath.Join(dir, "mail"), 0o700); err != nil {
				return "", err
			}
			out, err := q.program(dir, "", "mbsync", "-c", filepath.Join(dir, "rc"), "c")
			list, _ := filepath.Glob(filepath.Join(dir, "mail", "INBOX", "new", "*"))
			for _, p := range list {
				out = readBox(q, out, p)
			}
			return out, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			q, dir := in(t)
			out, err := run(q, dir)
			if err != nil || !strings.Contains(out, "Subject:") || !strings.Contains(out, "(Partnerguard mail bridge)") {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}

func readBox(t testing.TB, out, path string) string {
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Logf("%v", err)
	}
	return out + string(raw)
}
