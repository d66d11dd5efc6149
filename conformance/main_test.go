package conformance

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// info is what "partnerguard cloud --output json" prints.
type info struct {
	Tenant struct{ ID, Domain, Name string }

	Login, Graph, PartnerCenter, ARM, Portal, PortalHTTP string

	Control, ControlSecret, Proxy, SNI, CAFile, SPKI string

	People    []struct{ UPN, Name, Role, Password, TOTP, About string }
	Apps      []struct{ Name, ClientID, ClientSecret, Redirect, Tenant, About string }
	Customers []struct{ ID, Domain, Name string }
}

// The two ways a client finds the cloud.
const (
	byEndpoints = "endpoints"
	byNames     = "names"
)

// env is what a check works with.
type env struct {
	info
	way string
}

var cloud env

// What the parent tells the runs it starts.
const (
	wayVar     = "CONFORMANCE_WAY"
	infoVar    = "CONFORMANCE_INFO"
	didVar     = "CONFORMANCE_DID"
	binVar     = "CONFORMANCE_BIN" // set by hand: a program built before
	controlVar = "CONFORMANCE_CONTROL"
	tableVar   = "CONFORMANCE_TABLE" // set by hand: where the table goes besides
	onlyVar    = "CONFORMANCE_ONLY"  // set by hand: the one way that is gone
)

// Verdicts of a row of the table.
const (
	yes     = "yes"
	failed  = "FAILED"
	skipped = "skipped" // something is not installed
	apart   = "n/a"     // has no meaning this way
)

// row is one thing that a client was to do.
type row struct {
	Client, What, Verdict string
}

var (
	rowsMu sync.Mutex // guards rows
	rows   []row
)

// shows enters a client and what it is to do into the table; the verdict is
// that of the test.
func shows(t *testing.T, client, what string) {
	t.Helper()
	t.Cleanup(func() {
		verdict := yes
		switch {
		case t.Failed():
			verdict = failed
		case t.Skipped():
			verdict = skipped
		}
		note(client, what, verdict)
	})
}

func note(client, what, verdict string) {
	rowsMu.Lock()
	defer rowsMu.Unlock()
	rows = append(rows, row{client, what, verdict})
}

// missing ends a test whose tool is not installed: skipped on a desk, failed
// where CI says that everything must be there.
func missing(t *testing.T, tool string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed", tool)
	}
	t.Skipf("%s is not installed", tool)
}

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		os.Exit(managedIdentities())
	}
	way := os.Getenv(wayVar)
	if way == "" {
		os.Exit(parent())
	}
	raw, err := os.ReadFile(os.Getenv(infoVar))
	if err == nil {
		err = json.Unmarshal(raw, &cloud.info)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
	cloud.way = way
	if way == byNames {
		cloud.Login, cloud.Graph = "https://login.microsoftonline.com", "https://graph.microsoft.com"
		cloud.PartnerCenter, cloud.ARM, cloud.Portal = "https://api.partnercenter.microsoft.com", "https://management.azure.com",
			"https://partner.microsoft.com"
	}
	code := m.Run()
	closeBrowser()
	raw, err = json.Marshal(rows)
	if err == nil {
		err = os.WriteFile(os.Getenv(didVar), raw, 0o600)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		code = 1
	}
	os.Exit(code)
}

// parent builds the program and runs this test program again both ways, each
// time against a cloud of the same seed.
func parent() int {
	fail := func(what string, err error) int {
		fmt.Fprintf(os.Stderr, "conformance: %s: %v\n", what, err)
		return 1
	}
	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		return fail("temporary directory", err)
	}
	defer os.RemoveAll(dir)
	bin := os.Getenv(binVar)
	if bin == "" {
		bin = filepath.Join(dir, "partnerguard")
		build := exec.Command("go", "build", "-buildvcs=false", "-o", bin, "./cmd/partnerguard")
		build.Dir = ".."
		if out, err := build.CombinedOutput(); err != nil {
			return fail("build", fmt.Errorf("%w\n%s", err, out))
		}
	}
	ways := []string{byEndpoints, byNames}
	if only := os.Getenv(onlyVar); only != "" {
		if !slices.Contains(ways, only) {
			return fail(onlyVar, fmt.Errorf("%q is none of %v", only, ways))
		}
		ways = []string{only}
	}
	code, done := 0, table{}
	for _, way := range ways {
		fmt.Printf("== %s\n", map[string]string{byEndpoints: "by configured endpoints", byNames: "by production host names, under cloud exec"}[way])
		list, err := oneWay(way, bin, filepath.Join(dir, way))
		if err != nil {
			code = fail(way, err)
		}
		for _, r := range list {
			done.add(way, r)
		}
	}
	out := io.Writer(os.Stdout)
	if path := os.Getenv(tableVar); path != "" {
		f, err := os.Create(path)
		if err != nil {
			return fail("table", err)
		}
		defer f.Close()
		out = io.MultiWriter(out, f)
	}
	if !done.print(out, ways) {
		code = 1
	}
	return code
}

// oneWay starts a cloud and runs all checks against it.
func oneWay(way, bin, dir string) (list []row, err error) {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	control, told, did := filepath.Join(dir, "control.json"), filepath.Join(dir, "info.json"), filepath.Join(dir, "did.json")
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	server := exec.CommandContext(ctx, bin, "cloud", "--port", "0", "--output", "json", "--control", control)
	server.Stderr = os.Stderr
	server.Cancel = func() error { return server.Process.Signal(os.Interrupt) }
	server.WaitDelay = 10 * time.Second
	out, err := server.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, err
	}
	defer func() { stop(); _ = server.Wait() }()
	var (
		raw   json.RawMessage
		where info
	)
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&raw); err != nil {
		return nil, fmt.Errorf("the cloud's first words: %w", err)
	}
	if err := errors.Join(os.WriteFile(told, raw, 0o600), json.Unmarshal(raw, &where)); err != nil {
		return nil, err
	}
	args := append([]string{os.Args[0]}, slices.DeleteFunc(slices.Clone(os.Args[1:]), func(a string) bool {
		return strings.HasPrefix(a, "-test.testlogfile")
	})...)
	if way == byNames {
		args = append([]string{bin, "cloud", "exec", "--control", control, "--"}, args...)
	}
	c := exec.Command(args[0], args[1:]...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.Env = append(os.Environ(), wayVar+"="+way, infoVar+"="+told, didVar+"="+did, binVar+"="+bin, controlVar+"="+control)
	if way == byEndpoints {
		c.Env = append(c.Env, "SSL_CERT_FILE="+where.CAFile, "NODE_EXTRA_CA_CERTS="+where.CAFile, "CURL_CA_BUNDLE="+where.CAFile)
	}
	err = c.Run()
	text, rerr := os.ReadFile(did)
	if rerr == nil {
		rerr = json.Unmarshal(text, &list)
	}
	return list, cmp.Or(err, rerr)
}

// table is what was done, in the order first seen, with the verdict of each way.
type table struct {
	rows     []row // without verdict
	verdicts map[row]map[string]string
}

func (b *table) add(way string, r row) {
	k := row{Client: r.Client, What: r.What}
	if b.verdicts == nil {
		b.verdicts = map[row]map[string]string{}
	}
	if b.verdicts[k] == nil {
		b.verdicts[k] = map[string]string{}
		b.rows = append(b.rows, k)
	}
	if b.verdicts[k][way] != failed { // a failure is never outdone
		b.verdicts[k][way] = r.Verdict
	}
}

// print says whether every row was reached and held in each of the ways that were gone.
func (b *table) print(w io.Writer, ways []string) bool {
	slices.SortStableFunc(b.rows, func(x, y row) int { return strings.Compare(x.Client, y.Client) })
	name, wide, good, n := 0, 0, true, 0
	for _, k := range b.rows {
		name, wide = max(name, utf8.RuneCountInString(k.Client)), max(wide, utf8.RuneCountInString(k.What))
	}
	fmt.Fprintf(w, "\n%-*s  %-*s  %-9s  %s\n", name, "client", wide, "what it did", byEndpoints, byNames)
	last := ""
	for _, k := range b.rows {
		client := k.Client
		if client == last {
			client = ""
		}
		last = k.Client
		var cells []string
		for _, way := range []string{byEndpoints, byNames} {
			v := cmp.Or(b.verdicts[k][way], "not run")
			cells = append(cells, v)
			good = good && (!slices.Contains(ways, way) || v != failed && v != "not run")
			if v == yes {
				n++
			}
		}
		fmt.Fprintf(w, "%-*s  %-*s  %-9s  %s\n", name, client, wide, k.What, cells[0], cells[1])
	}
	fmt.Fprintf(w, "\n%d rows, %d times yes\n", len(b.rows), n)
	return good && len(b.rows) > 0
}
