package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// segmentLine says by which hashes entries are in their segment.
type segmentLine struct {
	Segment      string
	Seq, Entries int64
	Root         string
	Hashes       []hash
}

// indexLine is an entry of a segment.
type indexLine struct {
	Segment, Line, SHA256 string
	Index, Bytes          int64
	Cut                   json.RawMessage
}

// archived is what the line of an entry says.
type archived struct {
	Page, Run *struct {
		ID, Tenant, Run, SHA256 string
		Number, Pages           int
		At                      time.Time
		Bytes, Packed           int64
		Whole                   bool
	}
}

// reading is what there is of a reading of a list.
type reading struct {
	numbers []int
	pages   int // as many as it has, where it says that it is whole
}

// evidence checks that each page is under the root of its segment, and that root in the
// trail.
type evidence struct {
	*checker
	counts Counts
	runs   map[string]reading
	names  []string // entries of the file that are left
	list   []segmentLine
	set    []int64
	leaves []hash
}

func (c *checker) evidence() {
	const index, segments = "evidence/index.jsonl", "evidence/segments.jsonl"
	if c.m.Evidence == "none" {
		for _, f := range c.a.files { // of pages nothing else would say so: no index lists them
			if f.name == index || f.name == segments || pageForm.MatchString(f.name) {
				c.fault("structure", f.name, "it is in the file, and the pack says that it has no evidence")
			}
		}
		return
	}
	e := &evidence{checker: c, runs: map[string]reading{}}
	for _, f := range c.a.files {
		e.names = append(e.names, f.name)
	}
	seen := map[string]bool{}
	err := c.lines(segments, 8<<20, func(n int, line []byte) error {
		var s segmentLine
		if decode(line, &s) != nil || s.Entries < 1 || s.Entries > 1<<17+1 || seen[s.Segment] || seen[strconv.FormatInt(s.Seq, 10)] {
			return fmt.Errorf("line %d of it is none, or is there twice", n)
		}
		seen[s.Segment], seen[strconv.FormatInt(s.Seq, 10)] = true, true
		e.list = append(e.list, s)
		return nil
	})
	if err != nil {
		c.fault("evidence", segments, "%s", err)
		return
	}
	c.Segments = len(e.list)
	if err := c.lines(index, 4<<20, e.add); err != nil {
		c.fault("evidence", index, "%s", err)
		return
	}
	e.end()
}

func (e *evidence) add(n int, line []byte) error {
	var x indexLine
	if decode(line, &x) != nil || x.Index < 0 || x.Index > 1<<17 || (x.Line == "") == (x.Cut == nil) || (e.m.Leaves != nil) != (x.Cut != nil) ||
		x.Line != "" && x.SHA256 != "" {
		return fmt.Errorf("line %d of it is none", n)
	}
	for len(e.list) > 0 && e.list[0].Segment != x.Segment && len(e.set) > 0 {
		e.close()
	}
	if len(e.list) == 0 || e.list[0].Segment != x.Segment {
		return fmt.Errorf("an entry of %s is in it, and the segments have it elsewhere, or not", x.Segment)
	}
	if k := len(e.set); k > 0 && x.Index <= e.set[k-1] {
		return fmt.Errorf("entry %d of %s: they are in another order, or one is there twice", x.Index, x.Segment)
	}
	text, first := []byte(x.Line), (*record)(nil)
	if x.Cut != nil {
		var err error
		if first, err = parseRecord(x.Cut); err != nil {
			return fmt.Errorf("entry %d of %s: %w", x.Index, x.Segment, err)
		}
		if err := e.m.ruled(first, true, &e.counts); err != nil {
			e.fault("redaction", "evidence/index.jsonl", "entry %d of %s: %s", x.Index, x.Segment, err)
		}
		text = first.flat()
	}
	var said archived
	if json.Unmarshal(text, &said) != nil || (said.Page == nil) == (said.Run == nil) || first != nil && (said.Page == nil) != (x.SHA256 == "") {
		return fmt.Errorf("entry %d of %s is neither a page nor the end of a reading", x.Index, x.Segment)
	}
	if cmp.Or(said.Page, said.Run).Tenant != e.m.Tenant {
		return fmt.Errorf("entry %d of %s is of another tenant than the pack", x.Index, x.Segment)
	}
	e.set = append(e.set, x.Index)
	h := leafHash(text)
	if said.Run != nil {
		if first != nil {
			h = over(rootOf([]hash{over(first.root)}))
		}
		e.leaves = append(e.leaves, h)
		if said.Run.Whole {
			e.runs[said.Run.ID] = reading{e.runs[said.Run.ID].numbers, said.Run.Pages}
		}
		return nil
	}
	p := said.Page
	r := e.runs[p.Run]
	r.numbers = append(r.numbers, p.Number)
	e.runs[p.Run] = r
	if p.At.After(e.m.AsOf) {
		e.fault("evidence", "evidence/index.jsonl", "entry %d of %s was answered after the moment that is judged", x.Index, x.Segment)
	}
	name := "evidence/" + x.Segment + "/" + strconv.FormatInt(x.Index, 10) + map[bool]string{true: ".cut", false: ".page"}[first != nil]
	if len(e.names) == 0 || e.names[0] != name {
		return fmt.Errorf("%s is not the next page of the file: it is missing, or stands elsewhere", name)
	}
	e.names = e.names[1:]
	e.Pages++
	e.PageBytes += e.a.files[e.a.by[name]].size
	if first == nil {
		e.page(name, &said)
	} else {
		var err error
		if h, err = e.cut(name, &x, first); err != nil {
			e.fault("redaction", name, "%s", err)
		}
	}
	e.leaves = append(e.leaves, h)
	return nil
}

// page holds a page to its line: what is kept of it is hashed, a large one as the zstd
// frame that it is.
func (e *evidence) page(name string, said *archived) {
	want := said.Page.Bytes
	if said.Page.Packed > 0 {
		want = said.Page.Packed
		e.Frames++
	}
	sum, size, err := e.sumOf(name)
	if size != want || sum != said.Page.SHA256 {
		e.fault("evidence", name, "it is not the page of its line: it was changed, or is of another")
	} else if err != nil {
		e.fault("structure", name, "%s", err)
	}
}

// cut holds the records of a page to its sum and to the rule, and gives the page's leaf.
func (e *evidence) cut(name string, x *indexLine, first *record) (hash, error) {
	sum, size, err := e.sumOf(name)
	if size != x.Bytes || sum != x.SHA256 {
		e.fault("sum", name, "it is not the one that the index lists: it was changed")
	} else if err != nil {
		e.fault("structure", name, "%s", err)
	}
	roots := []hash{over(first.root)}
	err = e.lines(name, maxRecord, func(n int, line []byte) error {
		r, err := parseRecord(line)
		if err != nil {
			return err
		}
		if err := e.m.ruled(r, false, &e.counts); err != nil {
			e.fault("redaction", name, "record %d: %s", n, err)
		}
		roots = append(roots, over(r.root))
		return nil
	})
	return over(rootOf(roots)), err
}

// close folds the entries of a segment to the root that the trail has.
func (e *evidence) close() {
	const name = "evidence/segments.jsonl"
	s := &e.list[0]
	at, known := e.kept[s.Seq]
	switch {
	case !known:
		e.fault("trail", name, "entry %d of the trail, which is to have the root of %s, is not in the pack, or is of something else", s.Seq, s.Segment)
	case !at.of(s, e.m.Tenant):
		e.fault("evidence", name, "entry %d of the trail says something else of %s", s.Seq, s.Segment)
	default:
		root, err := fold(s.Entries, e.set, e.leaves, s.Hashes)
		if err != nil || hex.EncodeToString(root[:]) != s.Root {
			e.fault("evidence", name, "the entries of %s are not under the root that the trail has: one was changed, taken away or added", s.Segment)
		}
	}
	e.list, e.set, e.leaves = e.list[1:], nil, nil
}

// end tells of what is left over, and of readings that are not as whole as they say.
func (e *evidence) end() {
	if len(e.set) > 0 {
		e.close()
	}
	for _, s := range e.list {
		e.fault("evidence", "evidence/segments.jsonl", "%s is in it, and the index has no entry of it", s.Segment)
	}
	if len(e.names) > 0 && pageForm.MatchString(e.names[0]) {
		e.fault("structure", e.names[0], "it is in the file, and the index does not list it")
	}
	if e.m.Pages.Count != e.Pages || e.m.Pages.Bytes != e.PageBytes {
		e.fault("structure", "pack.json", "it says that there are %d pages of %d bytes, and there are %d of %d",
			e.m.Pages.Count, e.m.Pages.Bytes, e.Pages, e.PageBytes)
	}
	if e.m.Leaves != nil && e.counts != *e.m.Leaves {
		e.fault("redaction", "pack.json", "it says %+v, and there is %+v: the redaction was widened or narrowed", *e.m.Leaves, e.counts)
	}
	for id, r := range e.runs {
		if e.m.Evidence != "all" || slices.Contains(e.m.Lacking, id) {
			continue
		}
		slices.Sort(r.numbers)
		if n := len(slices.Compact(r.numbers)); n < r.pages {
			e.fault("evidence", "evidence/index.jsonl", "the reading %s has %d pages, and %d of them are here", id, r.pages, n)
		}
	}
}

// Counts are how many values are shown and left out.
type Counts struct{ Shown, ByMember, ByLook, Withheld int64 }

// record is a record that was cut: its values, each at its path; or, withheld, its root.
type record struct {
	leaves []value
	root   hash
}

type value struct {
	path  string
	raw   []byte // as JSON; of one that is left out, its pseudonym
	shown bool
}

// maxRecord is how many bytes a line with one has at most.
const maxRecord = 512 << 20

var errRecord = errors.New("it is no record that was cut")

// over is the hash of a root as a leaf of what it is in.
func over(root hash) hash { return leafHash(root[:]) }

// parseRecord reads a record and computes its root.
func parseRecord(line []byte) (*record, error) {
	r := &record{}
	if len(line) == 66 && line[0] == '"' && line[65] == '"' && sumForm.Match(line[1:65]) {
		_, err := hex.Decode(r.root[:], line[1:65])
		return r, err
	}
	var tight bytes.Buffer
	if json.Compact(&tight, line) != nil || !bytes.Equal(tight.Bytes(), line) || line[0] != '[' || len(line) < 3 {
		return nil, errRecord
	}
	d := json.NewDecoder(bytes.NewReader(line))
	_, _ = d.Token() // the bracket
	var hashes []hash
	for d.More() {
		var part []json.RawMessage
		if d.Decode(&part) != nil || len(hashes) >= 1<<20 {
			return nil, errRecord
		}
		v, inner, err := parseValue(part)
		if err != nil {
			return nil, err
		}
		r.leaves = append(r.leaves, v)
		b := binary.AppendUvarint([]byte{0}, uint64(len(v.path)))
		hashes = append(hashes, sha256.Sum256(append(append(b, v.path...), inner[:]...)))
	}
	r.root = rootOf(hashes)
	return r, nil
}

// parseValue reads path, salt, value; or path, null, pseudonym, inner hash.
func parseValue(part []json.RawMessage) (v value, inner hash, err error) {
	if len(part) < 3 || len(part) > 4 || json.Unmarshal(part[0], &v.path) != nil {
		return v, inner, errRecord
	}
	v.raw, v.shown = part[2], len(part) == 3
	at, size := 1, 16 // its salt
	if !v.shown {
		at, size = 3, len(inner)
	}
	b, ok := unbase64(strings.Trim(string(part[at]), `"`))
	if !ok || len(b) != size || (v.raw[0] == '{' || v.raw[0] == '[') && len(v.raw) != 2 || !v.shown && (string(part[1]) != "null" || v.raw[0] != '"') {
		return v, inner, errRecord
	}
	if !v.shown {
		return v, hash(b), nil
	}
	return v, sha256.Sum256(append(b, v.raw...)), nil
}

// flat writes a record of members of one member, as a page's line is: {"page":{…}}.
func (r *record) flat() []byte {
	var b []byte
	for i, l := range r.leaves {
		outer, name, ok := strings.Cut(strings.TrimPrefix(l.path, "/"), "/")
		if !ok {
			return nil
		}
		if i == 0 {
			b = append(b, `{"`+outer+`":{`...)
		} else {
			b = append(b, ',')
		}
		quoted, _ := json.Marshal(name)
		b = append(append(append(b, quoted...), ':'), l.raw...)
	}
	return append(b, "}}"...)
}

// The members that the rules name, in lower case.
var (
	nameMembers = strings.Fields(`userprincipalname userdisplayname displayname mail othermails proxyaddresses givenname surname firstname lastname
		middlename mailnickname onpremisesuserprincipalname onpremisessamaccountname onpremisesdistinguishedname mobilephone businessphones faxnumber
		phonenumber phone emailaddress email emails imaddresses employeeid streetaddress signinidentifier alternatenotificationemails
		technicalnotificationmails securitycompliancenotificationmails marketingnotificationemails username upn preferredname nickname
		addressline1 addressline2 contactname
		principaldisplayname principalname newvalue oldvalue assignedto requestorname approvername contactperson createdbydisplayname
		ownerdisplayname managerdisplayname createdbyusername lastmodifiedusername initiatorname aboutme birthday devicename computername hostname
		description justification notes internalnotes comment comments`)
	addressMembers = strings.Fields(`ipaddress ipaddressfromresourceprovider clientip clientipaddress calleripaddress sourceip
		geocoordinates latitude longitude altitude cidraddress loweraddress upperaddress postalcode city officelocation location`)
	mailForm      = regexp.MustCompile(`[^\s@"',;:/\\]+(?:@|%40)[^\s@"',;:/\\]+\.[^\s@"',;:/\\]+`)
	hostForm      = regexp.MustCompile(`[0-9A-Fa-f:.]{3,}`)
	givenNames    = strings.Fields(`adminagents helpdeskagents salesagents`) // of every tenant: they name nobody
	pseudonymForm = regexp.MustCompile(`^"redacted-(v-)?[0-9a-f]{16}(-emergency)?(-bg)?(-service)?(-shared)?(-account)?(-mailbox)?(#EXT#)?"$`)
)

// member is the name of the member that holds what is at a path.
func member(path string) string {
	name, _, _ := strings.Cut(path[strings.LastIndexByte(path, '/')+1:], "#")
	return strings.ToLower(strings.NewReplacer("~0", "~", "~1", "/", "~2", "#").Replace(name))
}

// byName says that the rule names the member, or one around it. line is of the archive's
// line of an entry.
func (m *Manifest) byName(path string, line bool) bool {
	if line {
		return path == "/page/sha256"
	}
	return slices.ContainsFunc(strings.Split(path, "/"), func(step string) bool {
		name := member(step)
		in := func(list []string, rule string) bool {
			return slices.Contains(list, name) && slices.Contains(m.Redaction, rule)
		}
		return name != "" && !slices.Contains(m.Kept, name) && (in(nameMembers, "names") || in(addressMembers, "addresses")) &&
			(name != "location" || member(path) != "countryorregion")
	})
}

// annotations are members beside another, whose names look like a mail address.
var annotations = strings.NewReplacer("@odata.", "", "@microsoft.graph.", "")

// leavesOut says that a shown value should not be.
func (m *Manifest) leavesOut(path string, raw []byte, line bool) bool {
	if m.byName(path, line) {
		given := raw[0] == '"' && slices.Contains(givenNames, strings.ToLower(string(raw[1:len(raw)-1])))
		return string(raw) != `""` && !given && (raw[0] == '"' || raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9')
	}
	var text string
	if raw[0] != '"' || slices.Contains(m.Kept, member(path)) || json.Unmarshal(raw, &text) != nil {
		return false
	}
	filter := line && path == "/page/request" && (strings.Contains(text, "'") || strings.Contains(text, "%27"))
	return filter && slices.Contains(m.Redaction, "names") || m.looks(text)
}

// looks says that a text looks like what is left out.
func (m *Manifest) looks(text string) bool {
	return slices.Contains(m.Redaction, "names") && mailForm.MatchString(text) || slices.Contains(m.Redaction, "addresses") && hosts(text)
}

// hosts says that an address of the internet is in a text, with a port or without.
func hosts(text string) bool {
	for _, w := range hostForm.FindAllString(text, -1) {
		w = strings.Trim(w, ".")
		_, err := netip.ParseAddr(w)
		_, err2 := netip.ParseAddrPort(w)
		_, err3 := netip.ParseAddr(strings.TrimSuffix(w, ":"))
		if err == nil || err2 == nil || err3 == nil {
			return true
		}
	}
	return false
}

// check holds a record to the rule, and counts.
func (m *Manifest) ruled(rec *record, line bool, n *Counts) error {
	if rec.leaves == nil {
		n.Withheld++
	}
	for _, l := range rec.leaves {
		switch {
		case m.looks(annotations.Replace(l.path)):
			return errors.New("the path of a value says who or where somebody is")
		case l.shown:
			if n.Shown++; m.leavesOut(l.path, l.raw, line) {
				return fmt.Errorf("%.200s is shown, and its rule leaves it out", l.path)
			}
		case !pseudonymForm.Match(l.raw):
			return fmt.Errorf("%.200s is left out, and what stands for it is no pseudonym", l.path)
		case bytes.HasPrefix(l.raw, []byte(`"redacted-v-`)):
			n.ByLook++
		default:
			if n.ByMember++; !m.byName(l.path, line) {
				return fmt.Errorf("%.200s is left out, and its rule does not say so: the redaction was widened", l.path)
			}
		}
	}
	return nil
}
