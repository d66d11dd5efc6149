package attack

import (
	"bytes"
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/app"
	"partnerguard/internal/cli"
	"partnerguard/internal/config"
	"partnerguard/internal/labtest"
	"partnerguard/internal/msapi"
	"partnerguard/internal/partnercloud/control"
)

// desk is where a person types commands, with the partner cloud beside it.
type desk struct {
	*house
	control, conf string
}

// newDesk starts a cloud whose control panel may revoke sessions, and connects.
func newDesk(t *testing.T) *desk {
	t.Helper()
	rig := labtest.Start(t, labtest.MayRevoke(t))
	dir := t.TempDir()
	d := &desk{house: &house{TB: t, cloud: &cloud{rig: rig, s: rig.Server}, dir: dir}, control: filepath.Join(dir, "control.json"),
		conf: filepath.Join(dir, "settings.yaml")}
	i := rig.Info
	b, err := json.Marshal(map[string]any{"address": i.Control, "secret": i.ControlSecret})
	d.ok(err)
	d.ok(os.WriteFile(d.control, b, 0o600))
	d.ok(os.WriteFile(d.conf, []byte("anchors: [{file: "+d.anchor()+"}]\n"), 0o600))
	d.connectAs(labtest.SAMAgent)
	return d
}

func (d *desk) anchor() string { return filepath.Join(d.dir, "away", "checkpoints") }
func (d *desk) file() string   { return filepath.Join(d.data(), app.LabName, "partnerguard.db") }

func (d *desk) openLab() *app.Installation {
	d.Helper()
	i := d.s.Info()
	pem, err := control.Dial(i.Control, i.ControlSecret).CA(d.Context())
	d.ok(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	getenv := func(string) string { return "" }
	c, err := config.Load(config.Source{File: d.conf, Flags: map[string]string{"data": d.data(), "master-key": "file:" + filepath.Join(d.dir, "key"),
		"cloud": app.LabName}, Getenv: getenv})
	d.ok(err)
	s, err := app.Open(d.Context(), app.Options{Config: c, Actor: "local:owner", Now: time.Now, Getenv: getenv,
		Lab: &app.Lab{Info: &i, Roots: roots, Clock: func(context.Context) (time.Time, error) { return d.s.World.Clock.Now(), nil }}})
	d.ok(err)
	return s
}

func (d *desk) connectAs(upn string) {
	d.Helper()
	s := d.openLab()
	defer func() { d.ok(s.Close()) }()
	r, err := s.SAM.Registration(d.Context(), "")
	d.ok(err)
	d.first = d.consent(s, "contoso", r.ClientID, upn)
}

// run types a command and gives its exit code with what it said.
func (d *desk) run(line string) (code int, said string) {
	d.Helper()
	var out bytes.Buffer
	line, command, _ := strings.Cut(line, " -- ")
	args := append(strings.Fields(line), "--cloud", app.LabName, "--data", d.data(), "--master-key", "file:"+filepath.Join(d.dir, "key"), "--config",
		d.conf, "--control", d.control)
	if command != "" {
		args = append(append(args, "--"), strings.Fields(command)...)
	}
	code = cli.Main(d.Context(), cli.Env{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Getenv: func(string) string { return "" },
		Now: time.Now})
	return code, out.String()
}

// expect types a command that must end with a code and say these words; a word
// after "!" it must not say.
func (d *desk) expect(line string, code int, words ...string) string {
	d.Helper()
	got, said := d.run(line)
	if got != code {
		d.Errorf("%s: exit code %d, not %d: %s", line, got, code, said)
	}
	for _, w := range words {
		if not, is := strings.CutPrefix(w, "!"); is && strings.Contains(said, not) || !is && !strings.Contains(said, w) {
			d.Errorf("%s: %q in: %s", line, w, said)
		}
	}
	return said
}

// edit is a hand in the database.
func (d *desk) edit(text string) {
	d.Helper()
	p, err := sql.Open("sqlite", d.file())
	d.ok(err)
	defer p.Close()
	_, err = p.Exec(text)
	d.ok(err)
}

// TestConnectAcceptCommand: a connection is held back, shown, accepted, renewed;
// an edited one is not accepted; an older database is accepted as a whole.
func TestConnectAcceptCommand(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.expect("connect accept", 2, "takes the name of one connection, or --all")
	d.expect("connect accept contoso --all", 2)
	d.expect("connect accept nobody", 1, "there is no connection")
	d.expect("connect accept --all", 0, "Nothing is held back")
	d.expect("connect renew --all", 0, "renewed")
	// The row's mark is gone.
	d.edit("UPDATE connections SET mark = x''")
	d.expect("connect status", 3, "held back", "it has no mark", "!healthy")
	d.expect("connect renew --all", 3, "held")
	d.expect("connect accept contoso", 0, "Accepted contoso: sam-agent@contoso.com", "app "+panelApp)
	d.expect("connect renew --all", 0, "renewed", "!held")
	d.expect("trail list --action connection.accepted", 0, "a person said that it is right")
	// It was edited: no word of a person makes the token go with it.
	d.edit("UPDATE connections SET body = replace(body, 'sam-agent@contoso.com', 'eve@contoso.com'), account = 'eve@contoso.com'")
	d.edit(`UPDATE connections SET body = json_set(body, '$.tenant', '99999999-0f6a-4f2f-9a41-3f1d6f0c9e21')`)
	d.expect("connect accept contoso", 1, "cannot be accepted: no sealed token opens")
	d.expect("connect accept --all", 1, "Not accepted: contoso")
	d.expect("vault check", 3, "connections")
	d.expect("connect remove contoso", 0, "Removed contoso", "Revoke-MgUserSignInSession")
}

// TestConnectAcceptOlderDatabase: the whole older file is put back.
func TestConnectAcceptOlderDatabase(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	raw, err := os.ReadFile(d.file())
	d.ok(err)
	d.expect("connect renew --all", 0, "renewed")
	d.ok(os.WriteFile(d.file(), raw, 0o600))
	d.expect("connect status", 3, "the database is older than it was")
	d.expect("connect renew --all", 3, "held", "!renewed")
	d.expect("token get --customer fabrikam.example", 1, "than it was", "!eyJ")
	d.expect("connect accept contoso", 2, "connect accept --all")
	d.expect("connect accept --all", 0, "Accepted contoso")
	d.expect("connect renew --all", 0, "renewed")
	d.expect("token get --customer fabrikam.example", 0, "eyJ")
	d.expect("trail list --action database.*", 0, "database.older", "database.accepted")
}

// TestConnectRemoveRevoke: the grant is gone at Entra ID, as asking it with a
// copy of the token shows.
func TestConnectRemoveRevoke(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	s := d.openLab()
	held, err := s.SAM.Store.Token(t.Context(), d.first)
	d.ok(err)
	a, err := s.SAM.Store.App(t.Context(), panelApp)
	d.ok(err)
	ask := func() error {
		_, err := s.API.Refresh(t.Context(), msapi.RefreshRequest{Cloud: s.Cloud, App: a, Tenant: held.Connection.Tenant, Refresh: held.Current,
			Scope: s.Cloud.PartnerCenterResource + "/.default"})
		return err
	}
	defer func() { d.ok(s.Close()) }()
	d.ok(ask())
	d.lab().Jump(2 * time.Second) // tokens of the same second outlive it
	d.expect("connect remove contoso --revoke", 0, "Revoked the sign-in sessions of sam-agent@contoso.com", "Removed contoso", "!Revoke-MgUserSignInSession")
	if err := ask(); err == nil || !strings.Contains(err.Error(), "50173") {
		t.Errorf("Entra ID still takes a copy of the token: %v", err)
	}
	d.expect("connect status", 0, "No connection yet")
	d.expect("trail list --action connection.*", 0, "connection.revoked", "connection.removed")
}

// TestConnectRemoveRevokeRefused: what cannot be revoked is not removed.
func TestConnectRemoveRevokeRefused(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.lab().Graph("POST", "/v1.0/users/sam-agent@contoso.com/revokeSignInSessions", "")
	d.lab().Jump(2 * time.Second)
	d.expect("connect remove contoso --revoke", 1, "!Removed")
	d.expect("connect status", 0, "contoso")
}

// TestTrailCommands: key, anchor, status, verify over a real installation, and
// what each says of a place that cannot be reached and of a trail that was cut.
func TestTrailCommands(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.expect("trail status", 0, "never     file:")
	d.expect("trail anchor", 1, "GAP", "was not reached")
	d.expect("trail status", 3, "GAP       file:")
	d.expect("trail list --action trail.gap", 0, "trail.gap")
	d.expect("trail anchor", 1, "GAP")
	if said := d.expect("trail list --action trail.gap", 0); strings.Count(said, "trail.gap") != 1 {
		t.Errorf("a gap is recorded more than once: %s", said)
	}
	d.ok(os.Mkdir(filepath.Dir(d.anchor()), 0o700))
	d.expect("trail anchor", 0, "anchored  file:")
	d.expect("trail list --action trail.gap*", 0, "trail.gap", "ended")
	d.expect("trail status", 0, "anchored  file:")
	key := strings.TrimSpace(d.expect("trail key", 0, "partnerguard/trail/"))
	key = key[strings.LastIndex(key, "\n")+1:]
	d.expect("trail verify", 0, "the trail holds", "fits         file:")
	d.expect("connect renew --all", 0, "renewed")
	d.expect("trail anchor", 0, "anchored")
	d.expect("trail verify", 0, "2 checkpoints")
	raw, err := os.ReadFile(d.anchor())
	d.ok(err)
	other := filepath.Join(d.dir, "kept")
	d.ok(os.WriteFile(other, raw, 0o600))
	d.expect("trail verify --checkpoint "+other, 0, "fits         given:")
	// With the key in the settings no vault is needed, and no other key is taken.
	d.ok(os.WriteFile(d.conf, []byte("anchors: [{file: "+d.anchor()+"}]\ntrailKey: "+key+"\n"), 0o600))
	d.expect("trail verify", 0, "fits         file:")
	wrong := strings.Replace(key, "partnerguard/trail/", "partnerguard/trail/0", 1)
	d.ok(os.WriteFile(d.conf, []byte("anchors: [{file: "+d.anchor()+"}]\ntrailKey: "+wrong+"\n"), 0o600))
	if code, said := d.run("trail verify"); code == 0 {
		t.Errorf("a key of another trail: %s", said)
	}
	d.ok(os.WriteFile(d.conf, []byte("anchors: [{file: "+d.anchor()+"}]\n"), 0o600))
	// The anchor's file is cut, then the trail itself.
	d.ok(os.WriteFile(d.anchor(), raw[:len(raw)/2], 0o600))
	d.expect("trail verify", 3)
	d.ok(os.WriteFile(d.anchor(), raw, 0o600))
	d.edit("DELETE FROM trail_pages WHERE first = (SELECT max(first) FROM trail_pages)")
	d.expect("trail verify", 3, "does not hold")
}
