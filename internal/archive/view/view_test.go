package view_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"partnerguard/internal/archive/segment"
	"partnerguard/internal/archive/view"
)

const tenant = "t1"

var day = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// memory is an object in memory.
type memory []byte

func (m memory) Range(_ context.Context, off, n int64) (io.ReadCloser, error) {
	if off < 0 || off > int64(len(m)) {
		return nil, errors.New("no such range")
	}
	return io.NopCloser(bytes.NewReader(m[off:min(int64(len(m)), off+n)])), nil
}

// rig gathers segments.
type rig struct {
	*testing.T
	stored []view.Stored
}

type answer struct {
	n      int
	of     string
	status int
	body   string
}

// segment adds one, with what fill puts into it.
func (r *rig) segment(fill func(w *segment.Writer)) {
	r.Helper()
	var out bytes.Buffer
	name := fmt.Sprint("s", len(r.stored))
	w, err := segment.NewWriter(&out, name, tenant, day)
	if err != nil {
		r.Fatal(err)
	}
	fill(w)
	d, err := w.Close()
	if err != nil {
		r.Fatal(err)
	}
	b := out.Bytes()
	open := func(ctx context.Context) (*segment.Reader, error) {
		return segment.NewReader(ctx, memory(b), int64(len(b)), d.Root)
	}
	r.stored = append(r.stored, view.Stored{Name: name, Seq: int64(len(r.stored) + 1), Parts: d.Parts, Open: open})
}

// run adds a run in a segment of its own; how changes the end, or nil is no end.
func (r *rig) run(resource, id string, at time.Time, way string, how func(*segment.Run), answers ...answer) {
	r.Helper()
	r.segment(func(w *segment.Writer) {
		for i, a := range answers {
			p := segment.Page{Tenant: tenant, Resource: resource, Run: id, Number: a.n + i, Of: a.of, Status: max(a.status, 200), At: at, Body: []byte(a.body)}
			if way == segment.Sliced {
				p.From, p.To = at.Add(-time.Hour), at
			}
			if err := w.Page(&p); err != nil {
				r.Fatal(err)
			}
		}
		if how == nil {
			return
		}
		e := segment.Run{ID: id, Tenant: tenant, Resource: resource, Way: way, Ended: at.Add(time.Minute), Whole: true, Pages: len(answers)}
		how(&e)
		if err := w.Run(&e); err != nil {
			r.Fatal(err)
		}
	})
}

func whole(*segment.Run) {}

func (r *rig) view(o view.Options) *view.View {
	r.Helper()
	o.Tenant = tenant
	v, err := view.New(r.Context(), o, func(yield func(view.Stored, error) bool) {
		for _, s := range r.stored {
			if !yield(s, nil) {
				return
			}
		}
	})
	if err != nil {
		r.Fatal(err)
	}
	return v
}

// file wants a file's content, without what separates elements.
func (r *rig) file(v *view.View, name, want string) {
	r.Helper()
	b, err := fs.ReadFile(v, name)
	if got := strings.ReplaceAll(string(b), "\n", ""); err != nil || got != strings.ReplaceAll(want, "\n", "") {
		r.Errorf("%s:\n got %s\nwant %s\n%v, files %v", name, got, want, err, v.Names())
	}
}

// TestApart: what lies elsewhere, in other places, shows the same files when it is looked at apart.
func TestApart(t *testing.T) {
	shown := func(first int64, apart bool) string {
		r := rig{T: t}
		r.run("users", "a", day, segment.Whole, whole, answer{body: `{"value":[]}`})
		r.stored[0].Seq = first
		b, err := fs.ReadFile(r.view(view.Options{Apart: apart}), view.Manifest)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if here, there := shown(1, true), shown(386, true); here != there {
		t.Errorf("%s\n%s", here, there)
	}
	if shown(1, false) == shown(386, false) {
		t.Error("an archive's own view has no place")
	}
}

func TestListIsTheNewestWholeOne(t *testing.T) {
	t.Parallel()
	r := &rig{T: t}
	r.run("namedLocations", "r1", day, "whole", whole, answer{body: `{"@odata.context":"c","value":[{"id":"1"}],"@odata.nextLink":"n"}`},
		answer{body: `{"value":[{"id":"2"},
			{"id":"3"}]}`})
	r.run("namedLocations", "r2", day.AddDate(0, 0, 1), "whole", whole, answer{body: `{"@odata.context":"c","value":[{"id":"4"}]}`})
	r.run("namedLocations", "r3", day.AddDate(0, 0, 2), "whole", func(e *segment.Run) { e.Whole, e.Why = false, "it broke off" },
		answer{body: `{"@odata.context":"c","value":[{"id":"5"}],"@odata.nextLink":"n"}`})
	v := r.view(view.Options{})
	r.file(v, "namedLocations.json", `{"@odata.context":"c","value":[{"id":"4"}]}`)
	if at := v.At("namedLocations.json"); !at.Equal(day.AddDate(0, 0, 1)) {
		t.Error(at)
	}
	v = r.view(view.Options{AsOf: day.Add(2 * time.Hour)})
	r.file(v, "namedLocations.json", `{"@odata.context":"c","value":[{"id":"1"},{"id":"2"},{"id":"3"}]}`)
	if l := v.Lists[0]; l.Run != "r1" || !l.Whole || l.Pages != 2 {
		t.Errorf("%+v", l)
	}
	if err := fstest.TestFS(v, v.Names()...); err != nil && !strings.Contains(err.Error(), "size") {
		t.Error(err)
	}
	if v := r.view(view.Options{AsOf: day.Add(-time.Hour)}); len(v.Lists) != 0 {
		t.Errorf("%+v", v.Lists)
	}
}

// Where no reading came to its end, what there is says so itself.
func TestUnfinishedShowsItsCut(t *testing.T) {
	t.Parallel()
	r := &rig{T: t}
	r.run("users", "r1", day, "whole", nil, answer{body: `{"@odata.context":"c","value":[{"id":"1"}],"@odata.nextLink":"n"}`})
	r.run("customers", "r2", day, "whole", func(e *segment.Run) { e.Whole, e.Why = false, "token expired" },
		answer{body: "\ufeff" + `{"totalCount":2,"items":[{"id":"1"}],"links":{"next":{"uri":"x"}}}`})
	r.run("delegatedAdminAccessAssignments", "r3", day, "whole", nil, answer{body: `{"value":[{"id":"a"},{"id":"b"}]}`},
		answer{of: "a", body: `{"@odata.context":"c","value":[]}`})
	r.run("signIns.interactiveUser", "r4", day, "sliced", nil, answer{body: `{"@odata.context":"s","value":[{"id":"1"}],"@odata.nextLink":"n"}`})
	r.run("namedLocations", "r5", day, "whole", whole, answer{body: `{"@odata.context":"c","value":[{"id":"1"}]}`}, answer{body: `<html>`})
	v := r.view(view.Options{})
	r.file(v, "users.json", `{"@odata.context":"c","value":[{"id":"1"}],"@odata.nextLink":"archive:unfinished"}`)
	r.file(v, "customers.json", `{"items":[{"id":"1"}],"totalCount":2,"links":{"next":{"uri":"archive:unfinished","method":"GET"}}}`)
	r.file(v, "delegatedAdminAccessAssignments.json", `[{"@odata.context":"c","value":[]},{"@odata.context":"c","@odata.nextLink":"archive:unfinished","value":[]}]`)
	r.file(v, "logs/signIns.interactiveUser-2026-11-01.jsonl", `{"id":"1"}{"@odata.context":"s","@odata.nextLink":"archive:unfinished","value":[]}`)
	r.file(v, "namedLocations.json", `{"@odata.context":"c","value":[{"id":"1"}],"@odata.nextLink":"archive:unfinished"}`)
	for _, l := range v.Lists {
		if l.Resource == "customers" && (l.Whole || l.Why != "token expired") {
			t.Errorf("%+v", l)
		}
	}
}

func TestRefusalIsAFile(t *testing.T) {
	t.Parallel()
	r := &rig{T: t}
	no := `{"error":{"code":"Forbidden","message":"no"}}`
	r.run("userRegistrationDetails", "r1", day, "whole", whole, answer{body: `{"@odata.context":"c","value":[]}`})
	r.run("userRegistrationDetails", "r2", day.Add(time.Hour), "whole", func(e *segment.Run) { e.Whole, e.Refused = false, "licence" },
		answer{status: 403, body: no})
	r.run("securityScore", "r3", day, "whole", func(e *segment.Run) { e.Whole, e.Refused = false, "role" }, answer{status: 403, body: no})
	v := r.view(view.Options{})
	r.file(v, "userRegistrationDetails.json", `{"@odata.context":"c","value":[]}`)
	r.file(v, "userRegistrationDetails.refused.json", no)
	r.file(v, "securityScore.refused.json", no)
	if names := fmt.Sprint(v.Names()); strings.Contains(names, "securityScore.json") {
		t.Error(names)
	}
	if v := r.view(view.Options{AsOf: day.Add(30 * time.Minute)}); strings.Contains(fmt.Sprint(v.Names()), "userRegistrationDetails.refused") {
		t.Error(v.Names())
	}
}

// Changes stand over the list that they are of: the newest of each member counts,
// and what is gone is gone.
func TestChangesAreMerged(t *testing.T) {
	t.Parallel()
	r := &rig{T: t}
	from := func(base string) func(*segment.Run) { return func(e *segment.Run) { e.Base = base } }
	r.run("users", "r1", day, "delta", whole,
		answer{body: `{"@odata.context":"u/$delta","value":[{"id":"a","n":"A","on":true},{"id":"b","n":"B"},{"id":"c","n":"C"}],"@odata.nextLink":"n"}`},
		answer{body: `{"value":[{"id":"b","@removed":{"reason":"changed"}},{"id":"d","n":"@removed"}]}`})
	r.run("users", "r2", day.Add(time.Hour), "delta", from("r1"),
		answer{body: `{"value":[{"id":"a","n":"A2"},{"id":"e","n":"E"},{"id":"c","@removed":{"reason":"deleted"}}]}`})
	r.run("users", "r3", day.Add(2*time.Hour), "delta", from("r2"),
		answer{body: `{"value":[{"id":"a","on":false},{"id":"e","n":null},{"id":"c","n":"C3"},{"id":"f","@removed":{}}]}`})
	r.run("users", "r4", day.Add(3*time.Hour), "delta", nil, answer{body: `{"value":[{"id":"a","n":"unfinished"}]}`})
	v := r.view(view.Options{})
	r.file(v, "users.json", `{"@odata.context":"u","value":[{"id":"a","n":"A2","on":false},{"id":"c","n":"C3"},{"id":"d","n":"@removed"},{"id":"e","n":null}]}`)
	if l := v.Lists[0]; l.Run != "r3" || !l.Whole || !l.At.Equal(day.Add(2*time.Hour)) {
		t.Errorf("%+v", l)
	}
	v = r.view(view.Options{AsOf: day.Add(90 * time.Minute)})
	r.file(v, "users.json", `{"@odata.context":"u","value":[{"on":true,"id":"a","n":"A2"},{"id":"d","n":"@removed"},{"id":"e","n":"E"}]}`)
	r.stored[0].Gone = true // policy removed what the changes are of
	v = r.view(view.Options{})
	if l := v.Lists[0]; l.Whole || l.Why == "" {
		t.Errorf("%+v", l)
	}
}

// Slices that overlap are read in the order in which they were answered: a later copy
// of a row stands behind the earlier one.
func TestLogIsInOrderOfReading(t *testing.T) {
	t.Parallel()
	r := &rig{T: t}
	const name = "signIns.interactiveUser"
	r.run(name, "r1", day, "sliced", whole, answer{body: `{"@odata.context":"s","value":[]}`})
	r.run(name, "r2", day.Add(24*time.Hour), "sliced", whole, answer{body: "{\r\n \"value\" : [ {\"id\": \"1\",\n \"v\": 1} ]}"})
	r.run(name, "r3", day.Add(25*time.Hour), "sliced", whole, answer{body: `{"value":[{"id":"1","v":2},{"id":"2","s":"\\\"}]"}]}`})
	r.run(name, "r4", day.Add(26*time.Hour), "sliced", nil, answer{body: `{"value":[{"id":"3"}],"@odata.nextLink":"n"}`})
	v := r.view(view.Options{})
	r.file(v, "logs/signIns.interactiveUser-2026-11-01.jsonl", `{"@odata.context":"s","value":[]}`)
	r.file(v, "logs/signIns.interactiveUser-2026-11-02.jsonl", `{"id": "1",  "v": 1}{"id":"1","v":2}{"id":"2","s":"\\\"}]"}{"id":"3"}`)
	b, err := fs.ReadFile(v, "logs/signIns.interactiveUser-2026-11-02.jsonl")
	if err != nil || bytes.Count(b, []byte("\n")) != 4 {
		t.Errorf("%q %v", b, err)
	}
	if v := r.view(view.Options{Since: day.Add(12 * time.Hour)}); len(v.Names()) != 2 {
		t.Error(v.Names())
	}
}

func TestGroupsHaveTheirMembers(t *testing.T) {
	t.Parallel()
	r := &rig{T: t}
	r.run("groups", "r1", day, "whole", whole,
		answer{body: `{"@odata.context":"g","value":[{"id":"1","n":"one"},{"id":"2"},{"id":"3"},{"id":"4"},{}]}`},
		answer{of: "1", body: `{"value":[{"id":"a"},
			{"id":"b"}],"@odata.nextLink":"n"}`}, answer{of: "1", body: `{"value":[{"id":"c"}]}`},
		answer{of: "2", body: `{"value":[]}`}, answer{of: "3", status: 403, body: `{"error":{"code":"Forbidden"}}`},
		answer{of: "4", body: `{"value":[{"id":"a"}],"@odata.nextLink":"n"}`})
	r.file(r.view(view.Options{}), "groups.json", `{"@odata.context":"g","value":[{"id":"1","n":"one","members":[{"id":"a"},{"id":"b"},{"id":"c"}]},`+
		`{"id":"2","members":[]},{"id":"3"},{"id":"4","members":[{"id":"a"}],"members@odata.nextLink":"archive:unfinished"},{}]}`)
}

// A run goes on in the next segment, and a page that was kept twice counts once.
func TestRunOverSegments(t *testing.T) {
	t.Parallel()
	r := &rig{T: t}
	r.run("namedLocations", "r1", day, "whole", nil, answer{body: `{"@odata.context":"c","value":[{"id":"1"}]}`}, answer{body: `{"value":[{"id":"2"}]}`})
	r.run("namedLocations", "r1", day.Add(time.Hour), "whole", whole, answer{n: 1, body: `{"value":[{"id":"2"}]}`}, answer{n: 1, body: `{"value":[{"id":"3"}]}`})
	r.file(r.view(view.Options{}), "namedLocations.json", `{"@odata.context":"c","value":[{"id":"1"},{"id":"2"},{"id":"3"}]}`)
}

// A damaged segment is an error of the files that are made of it, never a shorter one.
func TestDamage(t *testing.T) {
	t.Parallel()
	r := &rig{T: t}
	r.run("namedLocations", "r1", day, "whole", whole, answer{body: `{"value":[1]}`})
	r.stored[0].Open = func(context.Context) (*segment.Reader, error) { return nil, errors.New("damaged") }
	if b, err := fs.ReadFile(r.view(view.Options{}), "namedLocations.json"); err == nil {
		t.Errorf("%q", b)
	}
}

// Reading may stop anywhere.
func TestClosedEarly(t *testing.T) {
	t.Parallel()
	r := &rig{T: t}
	r.run("namedLocations", "r1", day, "whole", whole, answer{body: `{"value":["` + strings.Repeat("x", 8<<20) + `"]}`})
	v := r.view(view.Options{})
	for range 50 {
		f, err := v.Open("namedLocations.json")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Read(make([]byte, 10)); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
