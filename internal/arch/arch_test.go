package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// floor places every package under internal; imports may only point down.
var floor = map[string]int{
	"problem": 1, "secret": 1, "lenient": 1, "jsonscan": 1, "mapped": 1, "token": 1, "sheet": 1, "entra": 1, "arch": 1, "yamlguard": 1, "pattern": 1,
	"evidence": 2, "signin": 2, "directory": 2, "access": 2, "partner": 2, "claim": 2, "audit": 2, "vouch": 2,
	"factor": 2,
	"intake": 3, "sample": 3, "facts": 3, "page": 3, "screen": 3, "print": 3, "partnercloud": 3, "db": 3, "vault": 3, "jobs": 3, "notify": 3, "trail": 3,
	"msapi": 3, "web": 3, "caller": 3, "observe": 3, "archive": 3, "snapshot": 3, "client": 3,
	"assess": 4, "rehearse": 4, "prove": 4, "sam": 4, "automation": 4, "doctor": 4, "backup": 4, "checkup": 4, "dates": 4,
	"collect": 4, "posture": 4, "customers": 4, "coverage": 4, "signins": 4, "people": 4, "alert": 4,
	"mfa": 4, "otp": 4, "bridge": 4, "apppassword": 4, "delegation": 4, "fraud": 4, "gateway": 4,
	"remedy": 4, "practice": 4, "pack": 4,
	"config": 5, "labtest": 5, "cause": 5, "console": 5,
	"app":    6,
	"cli":    7,
	"attack": 8,
}

// sideways allows single imports between equals, each with its reason.
var sideways = map[string]string{
	"signin -> evidence":    "a judged row says where it was read",
	"directory -> evidence": "a user or role says where it was read",
	"access -> evidence":    "a policy says where it was read",
	"partner -> evidence":   "a rule names the kinds of evidence that decide it",
	"vouch -> evidence":     "a statement says where it was read",
	"token -> secret":       "random values that are secrets come as such",
	"vault -> db":           "sealed rows live in the database",
	"jobs -> db":            "the queue lives in the database",
	"jobs -> observe":       "a job is a span, and the queue is gauges",
	"db -> observe":         "a transaction is a span, and a database is gauges",
	"web -> observe":        "a request that is answered is a span",
	"msapi -> observe":      "a request that is sent is a span",
	"trail -> db":           "the trail is kept in the database",
	"trail -> vault":        "checkpoints are signed with a key of the vault",
	"trail -> observe":      "how long it is, is a gauge",
	"trail -> jobs":         "checkpoints go to their anchors by a job",
	"trail -> screen":       "its page is made of what every page is made of",
	"trail -> page":         "an outcome on it is said as a verdict is",
	"trail -> print":        "its words are cleaned and counted as everywhere",
	"archive -> db":         "segments have their rows in the database",
	"archive -> trail":      "a segment is an entry of the trail, and is proved by it",
	"archive -> jobs":       "what retention takes away goes by a job",
	"archive -> observe":    "how large it is, is a gauge",
	"snapshot -> db":        "it is kept in the database",
	"notify -> db":          "what was told is remembered in the database",
	"notify -> jobs":        "messages are delivered by jobs",
	"notify -> vault":       "the secrets of channels may be sealed there",
	"notify -> observe":     "what waits is a gauge, and a request that is sent is a span",
	"notify -> print":       "numbers and times are said as on a terminal",
	"trail -> notify":       "checkpoints leave by the same mail and syslog as alerts",
	"partnercloud -> page":  "its own pages take tokens, components and plots from there, under a skin of their own",
	"partnercloud -> print": "verdicts on its pages have the tones of package print",
	"web -> page":           "an error has a page of the one look",
	"web -> print":          "its words are sentences there",
	"screen -> page":        "pages of the console have the one look",
	"screen -> print":       "numbers and words are cleaned and said as on a terminal",
	"page -> print":         "numbers, times and what was read are said on a page as on a terminal",
	"remedy -> rehearse":    "the gate replays recorded sign-ins",
	"practice -> assess":    "a practice is judged in the words of a report",
	"pack -> assess":        "a pack has the report of its period, and it comes out again",
	"config -> console":     "the console's settings are its own, as every feature's are",
}

// pure packages do no I/O and read no clock: only these words are forbidden.
var pure = map[string]bool{"lenient": true, "jsonscan": true, "sheet": true, "entra": true, "evidence": true, "signin": true, "directory": true,
	"access": true, "partner": true, "claim": true, "audit": true, "vouch": true, "facts": true, "assess": true, "rehearse": true,
	"cause": true, "factor": true, "practice": true}

// forbidden names imports and why nobody may have them.
var forbidden = map[string]string{
	"math/rand":    "randomness comes from crypto/rand",
	"math/rand/v2": "randomness comes from crypto/rand",
	"log":          "structured logging is log/slog",
}

// exempt lists single uses of a forbidden import, each with its reason.
var exempt = map[string]string{
	"partnercloud/scenario -> math/rand/v2": "the generated world must come out the same from the same seed; no secret is made",
	"gateway/proxy -> math/rand/v2":         "ids of requests tell them apart and are no secret; the system is asked for nothing",
}

// inner gives the rooms of a part floors of their own: within it, too, imports
// point down only. A part that has one room here has all of them.
var inner = map[string]int{
	// Bytes and texts below shapes; the rules of sign-ins below reading and folding.
	"intake/text":   1,
	"intake":        2,
	"signin/texts":  1,
	"signin":        2,
	"signin/rollup": 3,
	"signin/read":   3, "signin/fold": 3, "signin/signintest": 3,

	// The local cloud stands apart from the product.
	"partnercloud/world": 1, "partnercloud/ca": 1, "partnercloud/gate": 1, "partnercloud/kit": 1, "partnercloud/skin": 1,
	"partnercloud/market": 1,
	"partnercloud/signon": 2, "partnercloud/bearer": 2, "partnercloud/proxy": 2, "partnercloud/control": 2,
	"partnercloud/authority": 3, "partnercloud/graph": 3, "partnercloud/center": 3, "partnercloud/arm": 3, "partnercloud/keyvault": 3,
	"partnercloud/portal": 3, "partnercloud/scenario": 3, "partnercloud/retired": 3,
	"partnercloud/story": 3,
	"partnercloud/mail":  3, "partnercloud/stamp": 1, "partnercloud/visitor": 1,
	"partnercloud": 4,

	"otp": 1, "otp/page": 2,

	"mfa":          1,
	"mfa/provider": 2, "mfa/pages": 2, "mfa/register": 2, "mfa/selftest": 2, "mfa/oath": 2,

	"bridge":          1,
	"bridge/upstream": 2, "bridge/queue": 3, "bridge/front": 3, "bridge/run": 4,

	"delegation/role": 1, "delegation/cover": 1,
	"delegation":     2,
	"delegation/use": 3, "delegation/probe": 3, "delegation/render": 3,
	"delegation/recommend": 4,
	"delegation/move":      5, "delegation/watch": 5,
	"delegation/pages": 6,

	"fraud":        1,
	"fraud/detect": 2, "fraud/doorbell": 2,
	"fraud/worlds": 3, "fraud/desk": 3, "fraud/budget": 3, "fraud/eyes": 3,
	"fraud/inquiry": 4, "fraud/inquiry/inquirytest": 5, "fraud/contain": 5,
	"fraud/pages": 6,

	"gateway":        1,
	"gateway/verify": 2, "gateway/rule": 2, "gateway/answer": 2, "gateway/assert": 2, "gateway/ledger": 2, "gateway/revoke": 2,
	"gateway/guard": 3, "gateway/session": 3, "gateway/proxy": 3,
	"gateway/front": 4, "gateway/forward": 4, "gateway/check": 4, "gateway/pages": 4,
	"gateway/run": 5,

	"remedy":        1,
	"remedy/object": 2,
	"remedy/gate":   3, "remedy/export": 3,
	"remedy/find": 4, "remedy/run": 4,
	"remedy/pages": 5,

	"practice": 1, "practice/render": 2, "practice/pages": 3,

	"pack/leaf":   1,
	"pack/form":   2,
	"pack":        3,
	"pack/report": 4,
	"pack/pages":  5,

	"sam":         1,
	"sam/capture": 2, "sam/exchange": 2, "sam/renew": 2,
	"sam/broker": 3, "sam/consent": 3, "sam/onboard": 3, "sam/pages": 3,
	"sam/past":  4,
	"sam/suite": 5,

	"trail": 1, "trail/anchor": 2, "trail/reading": 2,

	"notify/mailer": 1, "notify/syslog": 1,
	"notify": 2,

	"archive/segment": 1,
	"archive/view":    2,
	"archive":         3,

	// Wings stand on one floor, so they never import each other.
	"cli/kit":   1,
	"cli/child": 2,
	"cli/judge": 3, "cli/connect": 3, "cli/guard": 3, "cli/keep": 3, "cli/cloud": 3,
	"cli": 4,
}

// TestKitKnowsNoFeature: what one command needs of a feature is its wing's.
func TestKitKnowsNoFeature(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if room(s.dir) != "cli/kit" || s.test {
			continue
		}
		for _, imp := range s.imports(t) {
			rest, ours := strings.CutPrefix(imp, "partnerguard/internal/")
			if to, _, _ := strings.Cut(rest, "/"); ours && floor[to] == 4 {
				t.Errorf("%s imports the feature %s", s.path, rest)
			}
		}
	}
}

// room is a package's room within its part: what is deeper belongs to it.
func room(dir string) string {
	parts := strings.SplitN(dir, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

func TestInnerFloors(t *testing.T) {
	t.Parallel()
	parted := map[string]bool{}
	for r := range inner {
		top, _, _ := strings.Cut(r, "/")
		parted[top] = true
	}
	for _, s := range sources(t) {
		if !parted[s.top] || s.test {
			continue
		}
		if from := room(s.dir); inner[from] == 0 && !strings.HasSuffix(s.dir, "test") {
			t.Errorf("%s: the room %s is missing from the table", s.path, from)
		}
		for _, imp := range s.imports(t) {
			rest, ours := strings.CutPrefix(imp, "partnerguard/internal/")
			to, _, _ := strings.Cut(rest, "/")
			if !ours || to != s.top || room(s.dir) == room(rest) || strings.HasSuffix(s.dir, "test") {
				continue
			}
			if inner[room(rest)] >= inner[room(s.dir)] {
				t.Errorf("%s: room %s may not import %s", s.path, room(s.dir), rest)
			}
		}
	}
}

// source is one parsed file under internal.
type source struct {
	path string // relative to internal, slashes
	dir  string // the package's directory relative to internal
	top  string // the part before the first slash: what stands on a floor
	test bool
	file *ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel("..", path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		top, _, _ := strings.Cut(rel, "/")
		all = append(all, source{path: rel, dir: filepath.ToSlash(filepath.Dir(rel)), top: top, test: strings.HasSuffix(rel, "_test.go"), file: f})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("only %d files found: the walk is broken", len(all))
	}
	return all
}

func (s source) imports(t *testing.T) []string {
	t.Helper()
	var paths []string
	for _, spec := range s.file.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatalf("%s: %v", s.path, err)
		}
		paths = append(paths, p)
	}
	return paths
}

func TestFloors(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if floor[s.top] == 0 {
			t.Errorf("%s stands on no floor: add %q to the table", s.path, s.top)
		}
		if s.test {
			continue
		}
		for _, imp := range s.imports(t) {
			rest, ours := strings.CutPrefix(imp, "partnerguard/internal/")
			if !ours {
				continue
			}
			to, _, _ := strings.Cut(rest, "/")
			if strings.HasSuffix(rest, "test") && rest != "test" && rest != "mfa/selftest" && !strings.HasSuffix(s.dir, "test") {
				t.Errorf("%s: %s is for tests only", s.path, imp)
			}
			if to == s.top || sideways[s.top+" -> "+to] != "" {
				continue
			}
			if floor[to] >= floor[s.top] {
				t.Errorf("%s: floor %d may not import %s (floor %d)", s.path, floor[s.top], imp, floor[to])
			}
		}
	}
}

// TestPartnerCloudStandsApart holds the local cloud to its contract: what we
// speak to it with must not be what it is written with, or one misreading would
// be in both and every test would agree with itself.
func TestPartnerCloudStandsApart(t *testing.T) {
	t.Parallel()
	users := map[string]bool{"partnercloud": true, "app": true, "cli": true, "labtest": true}
	for _, s := range sources(t) {
		for _, imp := range s.imports(t) {
			rest, ours := strings.CutPrefix(imp, "partnerguard/internal/")
			if !ours {
				continue
			}
			to, _, _ := strings.Cut(rest, "/")
			if to == "partnercloud" && !users[s.top] && !s.test {
				t.Errorf("%s imports %s: only app, cli and tests start the partner cloud", s.path, imp)
			}
			if s.top == "partnercloud" && to == "msapi" {
				t.Errorf("%s imports %s: the partner cloud speaks from the contracts", s.path, imp)
			}
		}
	}
}

func TestForbiddenImports(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.test || strings.HasSuffix(s.dir, "test") {
			continue
		}
		for _, imp := range s.imports(t) {
			if why := forbidden[imp]; why != "" && exempt[s.dir+" -> "+imp] == "" {
				t.Errorf("%s imports %s: %s", s.path, imp, why)
			}
			if pure[s.top] && (imp == "os" || imp == "net" || imp == "net/http" || imp == "os/exec" || imp == "database/sql") {
				t.Errorf("%s imports %s, but %s does no I/O", s.path, imp, s.top)
			}
		}
		if !pure[s.top] {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && (sel.Sel.Name == "Now" || sel.Sel.Name == "Since") {
					t.Errorf("%s reads the clock, but %s is pure: take the moment as an argument", s.path, s.top)
				}
			}
			return true
		})
	}
}

// csvWriters may write CSV themselves; everybody else writes sheets of
// print, which guard each cell.
var csvWriters = map[string]string{
	"print":               "it is the sheet",
	"partnercloud/portal": "it stands apart, and asks sheet itself",
	"delegation/role/gen": "it writes data of the program's own, which nobody opens in a spreadsheet",
}

func TestOneCSVGuard(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if s.test || csvWriters[s.dir] != "" || strings.HasSuffix(s.dir, "test") {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && x.Name == "csv" && (sel.Sel.Name == "NewWriter" || sel.Sel.Name == "Writer") {
					t.Errorf("%s writes CSV without the guard: use print.NewSheet", s.path)
				}
			}
			return true
		})
	}
}

func TestEveryPackageHasADoc(t *testing.T) {
	t.Parallel()
	documented, packages := map[string]string{}, map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		packages[s.dir] = true
		if s.file.Doc == nil {
			continue
		}
		if filepath.Base(s.path) != "doc.go" && s.file.Name.Name != "main" {
			t.Errorf("%s carries a package comment: it belongs in doc.go", s.path)
		}
		documented[s.dir] = s.path
	}
	for dir := range packages {
		if documented[dir] == "" {
			t.Errorf("package %s has no doc.go with a package comment", dir)
		}
	}
}

// TestTableIsTrue fails when a package named in the floors no longer exists.
func TestTableIsTrue(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	for _, s := range sources(t) {
		exists[s.top] = true
	}
	for name := range floor {
		if !exists[name] {
			t.Errorf("package %s stands on a floor but does not exist", name)
		}
	}
	for name := range inner {
		if _, err := os.Stat(filepath.Join("..", name)); err != nil {
			t.Errorf("room %s stands on an inner floor but does not exist", name)
		}
	}
	for pair := range sideways {
		from, to, _ := strings.Cut(pair, " -> ")
		if floor[from] == 0 || floor[from] != floor[to] {
			t.Errorf("sideways import %q is not between equals", pair)
		}
	}
}
