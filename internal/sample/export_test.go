package sample_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/evidence"
	"partnerguard/internal/partnercloud"
	"partnerguard/internal/partnercloud/scenario"
	"partnerguard/internal/sample"
)

var update = flag.Bool("update", false, "write the exports instead of comparing them")

// changes are what the sample's partner has otherwise than the partner cloud's
// default scenario: it let a trial of Entra ID P2 run out, so that nobody is
// eligible any more, and who was got a role outright that CA001 forgets.
var changes = [][2]string{
	{"licence: p2                # free", "licence: p1\n  trial: p2 # free"},
	{"eligible: [Cloud Application Administrator]", "roles: [Intune Administrator]"},
	{"eligible: [Global Reader]", "roles: [Reports Reader]"},
}

// span is the window of a Log Analytics query over the week before Graph's log
// begins: it goes a little further, as two exports of neighbouring periods do.
var span = [2]time.Time{sample.AsOf.AddDate(0, 0, -37), sample.AsOf.AddDate(0, 0, -30).Add(12 * time.Hour)}

// TestExports makes the sample again, as a person would who exports the partner
// cloud's default partner by the plan, and compares. With -update it writes.
func TestExports(t *testing.T) {
	t.Parallel()
	want := exportAll(t)
	if *update {
		for name, content := range want {
			path := filepath.FromSlash(name)
			if !strings.HasPrefix(name, "customers/") {
				path = filepath.Join("exports", path)
			}
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return
	}
	compare(t, want, "", sample.FS())
	for tenant, files := range sample.Customers() {
		compare(t, want, "customers/"+tenant+"/", files)
	}
	for name := range want {
		t.Errorf("%s is missing: run go generate ./internal/sample", name)
	}
}

// compare holds files to those that were exported, and takes these away.
func compare(t *testing.T, want map[string][]byte, under string, files fs.FS) {
	t.Helper()
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		got, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		name = under + name
		w, ok := want[name]
		if !ok {
			t.Errorf("%s is not exported any more: remove it", name)
		} else if !bytes.Equal(inflate(t, name, got), inflate(t, name, w)) {
			t.Errorf("%s is stale: run go generate ./internal/sample", name)
		}
		delete(want, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// inflate is the content of a file: the compressor may change with Go.
func inflate(t *testing.T, name string, b []byte) []byte {
	t.Helper()
	if !strings.HasSuffix(name, ".gz") {
		return b
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// export is a person who makes requests of a cloud and keeps what comes.
type export struct {
	*testing.T
	cloud  *partnercloud.Server
	tokens map[evidence.Service]string
	files  map[string][]byte
}

// exportAll exports everything: by the plan at the sample's moment, and the days
// before the log from a workspace, by a query for sign-ins with a single factor
// that was asked when they were the newest.
func exportAll(t *testing.T) map[string][]byte {
	t.Helper()
	x := start(t, sample.AsOf)
	for _, r := range requests() {
		x.save(&r)
	}
	x.write("signins/signIns-v1.0.json", x.list(evidence.Graph, "/v1.0/auditLogs/signIns?$filter=startswith(userPrincipalName,'"+apart+"')"))
	x.customers("fabrikam.example", "proseware.example", "tailspin.example")
	older := start(t, span[1])
	rows := slices.DeleteFunc(older.signIns("/beta/auditLogs/signIns", span[0], span[1], "interactiveUser"), func(r signIn) bool {
		return r.AuthenticationRequirement != "singleFactorAuthentication" || strings.HasPrefix(r.UserPrincipalName, apart)
	})
	x.files[fmt.Sprintf("signins/SigninLogs-log-analytics-%s-to-%s.csv", span[0].Format(time.DateOnly), span[1].Format(time.DateOnly))] = x.analytics(rows)
	return x.files
}

// requests are those of the plan that a partner with P1 can and need make: what
// needs P2 is refused, and where Graph's log and alerts can be read, what may
// stand in for them is not asked for.
func requests() []evidence.Request {
	return slices.DeleteFunc(evidence.Requests(), func(r evidence.Request) bool {
		return !evidence.P1.Covers(r.Licence) || r.Kind == evidence.UnifiedAuditSignIn || r.Kind == evidence.FraudEvent
	})
}

// start brings up the cloud whose history ends at the sample's moment, as it was
// at another, and signs the exporter in.
func start(t *testing.T, at time.Time) *export {
	t.Helper()
	text := string(scenario.Default())
	for _, c := range changes {
		if strings.Count(text, c[0]) != 1 {
			t.Fatalf("the default scenario has %q not once", c[0])
		}
		text = strings.Replace(text, c[0], c[1], 1)
	}
	path := filepath.Join(t.TempDir(), "sample.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var now atomic.Pointer[time.Time]
	now.Store(&sample.AsOf)
	days := int(sample.AsOf.Sub(span[0])/(24*time.Hour)) + 1
	s, err := partnercloud.Start(t.Context(), partnercloud.Options{Scenario: path, Days: days, Unthrottled: true, Now: func() time.Time { return *now.Load() }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(t.Context()) })
	now.Store(&at)
	x := &export{T: t, cloud: s, files: map[string][]byte{}, tokens: map[evidence.Service]string{}}
	var scopes []string
	for _, r := range requests() {
		for _, p := range r.Permissions {
			scopes = append(scopes, "https://graph.microsoft.com/"+p)
		}
	}
	x.tokens[evidence.Graph] = x.signIn(0, strings.Join(scopes, " "))
	x.tokens[evidence.PartnerCenter] = x.signIn(1, "https://api.partnercenter.microsoft.com/user_impersonation")
	return x
}

// get makes one request, with the headers that the plan's lines send.
func (x *export) get(s evidence.Service, path string, v any) {
	x.Helper()
	base := map[evidence.Service]string{evidence.Graph: "https://graph.microsoft.com", evidence.PartnerCenter: "https://api.partnercenter.microsoft.com"}[s]
	if !strings.HasPrefix(path, "https:") {
		path = base + strings.ReplaceAll(path, " ", "%20")
	}
	req, err := http.NewRequestWithContext(x.Context(), http.MethodGet, path, nil)
	if err != nil {
		x.Fatal(err)
	}
	req.Header = http.Header{"Authorization": {"Bearer " + x.tokens[s]}, "Accept": {"application/json"}, "Prefer": {"include-unknown-enum-members"}}
	status, answer := x.read(x.cloud.Transport().RoundTrip(req))
	if status != http.StatusOK {
		x.Fatalf("%s: %d %s", path, status, answer)
	}
	x.decode(bytes.TrimPrefix(answer, []byte("\ufeff")), v)
}

func (x *export) read(res *http.Response, err error) (int, []byte) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		x.Fatal(err)
	}
	return res.StatusCode, b
}

func (x *export) decode(raw []byte, v any) {
	x.Helper()
	if err := json.Unmarshal(raw, v); err != nil {
		x.Fatalf("%v: %s", err, raw)
	}
}

// page is a page of a list, or a whole one: Graph's value or Partner Center's
// items.
type page struct {
	Context string            `json:"@odata.context,omitempty"`
	Total   *int              `json:"totalCount,omitempty"`
	Next    string            `json:"@odata.nextLink,omitempty"`
	Value   []json.RawMessage `json:"value,omitzero"`
	Items   []json.RawMessage `json:"items,omitzero"`
}

// list reads every page.
func (x *export) list(s evidence.Service, path string) (all page) {
	x.Helper()
	for next := path; next != ""; {
		var p page
		x.get(s, next, &p)
		all.Context, all.Total = cmp.Or(all.Context, p.Context), p.Total
		all.Value, all.Items = join(all.Value, p.Value), join(all.Items, p.Items)
		next = p.Next
	}
	return all
}

// join adds a page to a list; one that came empty stays an empty list.
func join(list, page []json.RawMessage) []json.RawMessage {
	if list == nil && page != nil {
		list = []json.RawMessage{}
	}
	return append(list, page...)
}

// save makes a request of the plan and keeps what comes, as the plan's line does.
func (x *export) save(r *evidence.Request) {
	x.Helper()
	name := "entra/" + r.File
	if r.Service == evidence.PartnerCenter || strings.Contains(r.Path, "/partner/") || strings.HasPrefix(r.Path, "/tenantRelationships/") {
		name = "partner/" + r.File
	}
	switch {
	case r.Kind == evidence.SignIn:
		x.saveSignIns(r)
	case r.Each != nil:
		x.each(r, name)
	case r.Kind == evidence.PartnerRequest:
		// Without the export's own calls, whose ids nobody can foretell.
		p := x.list(r.Service, r.Address())
		p.Items = slices.DeleteFunc(p.Items, func(raw json.RawMessage) bool {
			return bytes.Contains(raw, []byte(sample.AsOf.Format(`"requestDateTime":"2006-01-02T15:04:05"`)))
		})
		*p.Total = len(p.Items)
		x.write(name, p)
	case r.One || r.Service == evidence.PartnerCenter:
		var v json.RawMessage
		x.get(r.Service, r.Address(), &v)
		x.write(name, v)
	default:
		x.write(name, x.list(r.Service, r.Address()))
	}
}

// each makes the further requests of a loop.
func (x *export) each(r *evidence.Request, name string) {
	x.Helper()
	all := x.list(r.Service, r.Address())
	version := ""
	if r.Service == evidence.Graph {
		version = "/" + r.Version
	}
	many := []json.RawMessage{}
	add := func(v any) { many = append(many, x.encode(v)) }
	for _, raw := range slices.Concat(all.Value, all.Items) {
		var item struct{ ID, UserPrincipalName string }
		x.decode(raw, &item)
		path := version + strings.Replace(r.Each.Path, "{id}", item.ID, 1) + r.Each.Query
		switch r.Kind {
		case evidence.Group: // members of those alone that a policy names
			var g map[string]any
			x.decode(raw, &g)
			if bytes.Contains(x.files["entra/conditionalAccessPolicies.json"], []byte(item.ID)) {
				g["members"] = x.list(r.Service, path).Value
			}
			add(g)
		case evidence.PerUserMFA:
			var v struct {
				State string `json:"perUserMfaState"`
			}
			x.get(r.Service, path, &v)
			add(map[string]string{"id": item.ID, "userPrincipalName": item.UserPrincipalName, "perUserMfaState": v.State})
		case evidence.Customer:
			var v json.RawMessage
			x.get(r.Service, path, &v)
			add(v)
		default:
			add(x.list(r.Service, path))
		}
	}
	switch {
	case r.Kind == evidence.PerUserMFA || r.Kind == evidence.AccessAssignment:
		x.write(name, many)
	case all.Items != nil:
		x.write(name, page{Total: all.Total, Items: many})
	default:
		x.write(name, page{Context: all.Context, Value: many})
	}
}

// apart is whose sign-ins another tool exports, which asks v1.0 and so has
// nothing that could prove MFA.
const apart = "noor.haddad@"

// saveSignIns keeps 30 days of users' sign-ins, and the last day of the apps'.
func (x *export) saveSignIns(r *evidence.Request) {
	x.Helper()
	today := sample.AsOf.Truncate(24 * time.Hour)
	rows := slices.Concat(
		x.signIns(r.Address(), today.AddDate(0, 0, -30), sample.AsOf, "interactiveUser"),
		x.signIns(r.Address(), today.AddDate(0, 0, -30), sample.AsOf, "nonInteractiveUser"),
		x.signIns(r.Address(), today.AddDate(0, 0, -1), sample.AsOf, "servicePrincipal"))
	slices.SortStableFunc(rows, func(a, b signIn) int { return a.CreatedDateTime.Compare(b.CreatedDateTime) })
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		x.Fatal(err)
	}
	for _, row := range rows {
		if !strings.HasPrefix(row.UserPrincipalName, apart) {
			_, _ = z.Write(append(row.raw, '\n')) // a bytes.Buffer takes everything
		}
	}
	_ = z.Close()
	x.files[fmt.Sprintf("signins/signIns-%s-to-%s.jsonl.gz", rows[0].CreatedDateTime.Format(time.DateOnly), today.Format(time.DateOnly))] = b.Bytes()
}

// signIn is a row of the log.
type signIn struct {
	CreatedDateTime           time.Time
	UserPrincipalName         string
	AuthenticationRequirement string
	raw                       []byte
}

// signIns reads the rows of a kind, a day a request, oldest first.
func (x *export) signIns(path string, from, to time.Time, kind string) (out []signIn) {
	x.Helper()
	for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
		of := fmt.Sprintf("signInEventTypes/any(t: t eq '%s') and createdDateTime ge %s and createdDateTime lt %s", kind,
			day.Format(time.RFC3339), day.AddDate(0, 0, 1).Format(time.RFC3339))
		for _, raw := range slices.Backward(x.list(evidence.Graph, path+"?$filter="+url.QueryEscape(of)).Value) {
			row := signIn{raw: raw}
			x.decode(raw, &row)
			out = append(out, row)
		}
	}
	return out
}

// write keeps a list with one item a line, and anything else indented.
func (x *export) write(name string, v any) {
	x.Helper()
	var b, many, one bytes.Buffer
	raw := x.encode(v)
	var p page
	if raw[0] == '[' {
		x.decode(raw, &p.Items)
	} else {
		x.decode(raw, &p)
	}
	items := slices.Concat(p.Value, p.Items)
	if len(items) == 0 {
		if err := json.Indent(&b, raw, "", "  "); err != nil {
			x.Fatal(err)
		}
	} else {
		for i, item := range items {
			if i > 0 {
				one.WriteByte(',')
				many.WriteString(",\n")
			}
			one.Write(item)
			many.Write(item)
		}
		b.Write(bytes.Replace(raw, fmt.Appendf(nil, "[%s]", one.Bytes()), fmt.Appendf(nil, "[\n%s\n]", many.Bytes()), 1))
	}
	b.WriteByte('\n')
	x.files[name] = b.Bytes()
}

// encode is v on one line.
func (x *export) encode(v any) []byte {
	x.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		x.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}
