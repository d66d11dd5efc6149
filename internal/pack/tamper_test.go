package pack_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/db/dbtest"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/packtest"
	"partnerguard/internal/trail"
)

// opened is a pack taken apart.
type opened struct {
	testing.TB
	names   []string
	content map[string][]byte
	m       *form.Manifest
	signer  *trail.Signer
	other   []byte        // the stamp of another pack
	foreign *trail.Signer // of another house
}

// stampOf changes the first stamp of a checkpoint.
func (o *opened) stampOf(change func([]byte)) {
	o.lines(form.CheckpointsName, func(l []string) []string {
		var x form.Checkpoint
		if err := json.Unmarshal([]byte(l[0]), &x); err != nil || len(x.Stamp) == 0 {
			o.Fatal(err, l[0])
		}
		change(x.Stamp)
		raw, _ := form.Line(x)
		l[0] = string(raw)
		return l
	})
}

func takeApart(t testing.TB, raw []byte, signer *trail.Signer) *opened {
	t.Helper()
	r, err := form.Open(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	o := &opened{TB: t, names: r.Names(), content: map[string][]byte{}, signer: signer}
	for _, n := range o.names {
		if o.content[n], err = r.Read(n, form.MaxEntry); err != nil {
			t.Fatal(err)
		}
	}
	if o.m, err = r.ReadManifest(); err != nil {
		t.Fatal(err)
	}
	return o
}

// file is the pack again.
func (o *opened) file() []byte {
	o.Helper()
	f, err := os.CreateTemp(o.TempDir(), "")
	if err != nil {
		o.Fatal(err)
	}
	defer f.Close()
	w := form.NewWriter(f)
	for _, n := range o.names {
		if err := w.Put(n, o.content[n]); err != nil {
			o.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		o.Fatal(err)
	}
	raw, err := os.ReadFile(f.Name())
	if err != nil {
		o.Fatal(err)
	}
	return raw
}

// sums makes the manifest list what is there, as who has no key can.
func (o *opened) sums() {
	o.m.Entries, o.m.Pages = nil, form.Pages{}
	for _, n := range o.names {
		switch {
		case strings.HasSuffix(n, ".page"), strings.HasSuffix(n, ".cut"):
			o.m.Pages.Count++
			o.m.Pages.Bytes += int64(len(o.content[n]))
		case n != form.ManifestName && n != form.NoteName && n != form.StampName:
			sum := sha256.Sum256(o.content[n])
			o.m.Entries = append(o.m.Entries, form.Entry{Path: n, Kind: "x", Size: int64(len(o.content[n])), SHA256: hex.EncodeToString(sum[:])})
		}
	}
	o.manifest()
}

func (o *opened) manifest() {
	raw, err := form.Encode(o.m)
	if err != nil {
		o.Fatal(err)
	}
	o.content[form.ManifestName] = raw
}

// sign signs it anew, as only who has the key can.
func (o *opened) sign() {
	raw, err := form.Sign(o.m, o.content[form.ManifestName], o.signer)
	if err != nil {
		o.Fatal(err)
	}
	o.content[form.NoteName] = raw
}

func (o *opened) replace(name, old, with string) {
	o.Helper()
	if !bytes.Contains(o.content[name], []byte(old)) {
		o.Fatalf("%s has no %q: %.500s", name, old, o.content[name])
	}
	o.content[name] = bytes.Replace(o.content[name], []byte(old), []byte(with), 1)
}

func (o *opened) remove(name string) {
	o.names = slices.DeleteFunc(o.names, func(n string) bool { return n == name })
}

// page is the n-th page.
func (o *opened) page(n int) string {
	o.Helper()
	for _, name := range o.names {
		if strings.HasSuffix(name, ".page") || strings.HasSuffix(name, ".cut") {
			if n == 0 {
				return name
			}
			n--
		}
	}
	o.Fatal("no such page")
	return ""
}

// lines changes the lines of an entry.
func (o *opened) lines(name string, change func([]string) []string) {
	list := strings.SplitAfter(string(o.content[name]), "\n")
	o.content[name] = []byte(strings.Join(change(list[:len(list)-1]), ""))
}

func dropped(n int) func([]string) []string {
	return func(l []string) []string { return slices.Delete(l, n, n+1) }
}

func doubled(l []string) []string { return append(l[:1:1], l...) }

func swapped(l []string) []string { l[0], l[1] = l[1], l[0]; return l }

// How much of a pack is made to fit the change.
const (
	plain  = iota // nothing
	summed        // the sums too: by who has no key
	signed        // the signature too: by who has the key of the pack, and not the trail
)

// tampering is one change, and the check that must find it.
type tampering struct {
	name   string
	kind   string // of pack; "" is all
	how    int
	change func(*opened)
	want   form.Check
}

const pageSuffix = ".page"

var tamperings = []tampering{
	{"the report is changed", "", plain, func(o *opened) { o.replace("report.html", "1", "2") }, form.Sum},
	{"the report and its sum are changed", "", summed, func(o *opened) { o.replace("report.html", "1", "2") }, form.Signature},
	{"the rule book is swapped", "", plain, func(o *opened) { o.content["rules/book.json"] = []byte("{}") }, form.Sum},
	{"the rule book is swapped, with its sum", "", summed, func(o *opened) { o.content["rules/book.json"] = []byte("{}") }, form.Signature},
	{"the list of gaps is shortened", "", plain, func(o *opened) { o.replace("gaps.json", "1,2,3", "1,2") }, form.Sum},
	{"an exception is taken away", "", summed, func(o *opened) { o.replace("exceptions.json", "[1,2,3]", "[]") }, form.Signature},
	{"a verdict is edited", "", plain, func(o *opened) { o.m.Verdicts[0].Verdict = "unmet"; o.manifest() }, form.Signature},
	{"a verdict is taken away", "", plain, func(o *opened) { o.m.Verdicts = o.m.Verdicts[1:]; o.manifest() }, form.Signature},
	{"the period is widened", "", plain, func(o *opened) { o.m.From = o.m.From.AddDate(0, -1, 0); o.manifest() }, form.Signature},
	{"a member that is not known is in the manifest", "", plain, func(o *opened) { o.replace(form.ManifestName, `{`, `{"x":1,`) }, form.Structure},
	{"an entry is taken out", "", plain, func(o *opened) { o.remove("report.json") }, form.Structure},
	{"an entry is taken out of the list too", "", summed, func(o *opened) { o.remove("report.json") }, form.Signature},
	{"an entry is put in", "", plain, func(o *opened) {
		o.names = append([]string{"extra.txt"}, o.names...)
		o.content["extra.txt"] = []byte("x")
	}, form.Structure},
	{"an entry is put in and listed", "", summed, func(o *opened) {
		o.names = slices.Insert(o.names, slices.Index(o.names, "report.json"), "extra.txt")
		o.content["extra.txt"] = []byte("x")
	}, form.Signature},
	{"an entry is renamed", "", plain, func(o *opened) {
		o.names[slices.Index(o.names, "gaps.json")] = "holes.json"
		o.content["holes.json"] = o.content["gaps.json"]
	}, form.Structure},
	{"two entries change places", "", plain, func(o *opened) {
		i, j := slices.Index(o.names, "report.json"), slices.Index(o.names, "report.html")
		o.names[i], o.names[j] = o.names[j], o.names[i]
	}, form.Structure},
	{"the contents of two entries change places", "", plain, func(o *opened) {
		o.content["report.json"], o.content["gaps.json"] = o.content["gaps.json"], o.content["report.json"]
	}, form.Sum},
	{"the note is taken out", "", plain, func(o *opened) { o.remove(form.NoteName) }, form.Structure},
	{"the manifest is taken out", "", plain, func(o *opened) { o.remove(form.ManifestName) }, form.Structure},
	{"the note has a line more", "", plain, func(o *opened) {
		o.content[form.NoteName] = append(o.content[form.NoteName], "\u2014 other AAAAAAAAAAAAAAAA\n"...)
	}, form.Signature},
	{"a byte of the signature is changed", "", plain, func(o *opened) {
		n := o.content[form.NoteName]
		n[len(n)-20] ^= 1
	}, form.Signature},

	{"a page is changed", "all", plain, func(o *opened) { o.replace(o.page(0), "Person", "Nobody") }, form.Page},
	{"a byte of a compressed page is changed", "all", signed, func(o *opened) { o.content[o.page(4)][100] ^= 4 }, form.Page},
	{"a page and its line are changed", "all", signed, func(o *opened) {
		p := o.page(0)
		was := sha256.Sum256(o.content[p])
		o.replace(p, "Person", "Nobody")
		is := sha256.Sum256(o.content[p])
		o.replace(form.IndexName, hex.EncodeToString(was[:]), hex.EncodeToString(is[:]))
	}, form.Page},
	{"what is said of a page is changed", "all", signed, func(o *opened) { o.replace(form.IndexName, `\"status\":200`, `\"status\":403`) }, form.Page},
	{"a page is taken out", "all", signed, func(o *opened) { o.remove(o.page(1)) }, form.Page},
	{"a page is taken out of the index too", "all", signed, func(o *opened) {
		o.remove(o.page(1))
		o.lines(form.IndexName, dropped(1))
	}, form.Page},
	{"a page is not in the index", "all", signed, func(o *opened) { o.lines(form.IndexName, dropped(1)) }, form.Page},
	{"a page is in the index twice", "all", signed, func(o *opened) { o.lines(form.IndexName, doubled) }, form.Page},
	{"two lines of the index change places", "all", signed, func(o *opened) { o.lines(form.IndexName, swapped) }, form.Page},
	{"two pages change places", "all", signed, func(o *opened) {
		a, b := o.page(0), o.page(1)
		o.content[a], o.content[b] = o.content[b], o.content[a]
	}, form.Page},
	{"a page is put in that the index does not have", "all", signed, func(o *opened) {
		o.names = slices.Insert(o.names, 5, "evidence/other/0"+pageSuffix)
		o.content["evidence/other/0.page"] = []byte("{}")
	}, form.Structure},
	{"the end of a reading is taken out", "all", signed, func(o *opened) {
		o.lines(form.IndexName, func(l []string) []string {
			return slices.DeleteFunc(l, func(s string) bool { return strings.Contains(s, `{\"run\"`) && strings.Contains(s, "users") })
		})
	}, form.Page},
	{"a hash of a segment is changed", "all", signed, func(o *opened) { o.changeHash(form.SegmentsName) }, form.Page},
	{"a segment is taken out", "all", signed, func(o *opened) { o.lines(form.SegmentsName, dropped(0)) }, form.Page},
	{"a segment is there twice", "all", signed, func(o *opened) { o.lines(form.SegmentsName, doubled) }, form.Page},
	{"a segment is proved by another entry", "all", signed, func(o *opened) {
		o.lines(form.SegmentsName, func(l []string) []string {
			var a, b form.Segment
			_ = json.Unmarshal([]byte(l[0]), &a)
			_ = json.Unmarshal([]byte(l[1]), &b)
			a.Seq, b.Seq = b.Seq, a.Seq
			x, _ := form.Line(a)
			y, _ := form.Line(b)
			return append([]string{string(x), string(y)}, l[2:]...)
		})
	}, form.Page},
	{"an entry of the trail is changed", "", signed, func(o *opened) { o.replace(form.EntriesName, "system:", "sysadm:") }, form.Trail},
	{"an entry of the trail is taken out", "all", signed, func(o *opened) { o.lines(form.EntriesName, dropped(0)) }, form.Trail},
	{"an entry of the trail is there twice", "", signed, func(o *opened) { o.lines(form.EntriesName, doubled) }, form.Trail},
	{"two entries of the trail change places", "all", signed, func(o *opened) { o.lines(form.EntriesName, swapped) }, form.Trail},
	{"a hash of the trail's proof is changed", "", signed, func(o *opened) { o.changeHash(form.ProofName) }, form.Trail},
	{"the trail's proof is of another size", "", signed, func(o *opened) { o.replace(form.ProofName, `"size": `, `"size": 1`) }, form.Trail},
	{"the checkpoint is an older one", "", signed, func(o *opened) {
		o.lines(form.CheckpointsName, func(l []string) []string {
			var x, own form.Checkpoint
			_ = json.Unmarshal([]byte(l[0]), &x)
			_ = json.Unmarshal([]byte(l[len(l)-1]), &own)
			own.Note = x.Note
			raw, _ := form.Line(own)
			return append(l[:2], string(raw))
		})
	}, form.Trail},
	{"two checkpoints change places", "", signed, func(o *opened) {
		o.lines(form.CheckpointsName, func(l []string) []string { l[0], l[2] = l[2], l[0]; return l })
	}, form.Checkpoints},
	{"a consistency proof is taken out", "", signed, func(o *opened) {
		o.replace(form.ConsistencyName, string(o.content[form.ConsistencyName]), `{"steps":[]}`)
	}, form.Consistent},
	{"a hash of a consistency proof is changed", "", signed, func(o *opened) { o.changeHash(form.ConsistencyName) }, form.Consistent},
	{"the stamp of a checkpoint is changed", "", signed, func(o *opened) { o.stampOf(func(b []byte) { b[len(b)-5] ^= 1 }) }, form.Checkpoints},
	{"a cosignature is changed", "", signed, func(o *opened) {
		at := bytes.Index(o.content[form.CheckpointsName], []byte("witness.example/w1 ")) + 60
		o.content[form.CheckpointsName][at] ^= 1
	}, form.Checkpoints},
	{"the stamp is taken out", "", plain, func(o *opened) { o.remove(form.StampName) }, form.Structure},
	{"the stamp is of another pack", "", plain, func(o *opened) { o.content[form.StampName] = o.other }, form.Stamp},
	{"a byte of the stamp's signature is changed", "", plain, func(o *opened) {
		o.content[form.StampName][len(o.content[form.StampName])-5] ^= 1
	}, form.Stamp},
	{"it is signed by another, and so is its checkpoint", "", plain, func(o *opened) {
		o.m.Key, o.m.Trail = o.foreign.Key(), o.foreign.Name()
		o.sums()
		o.signer = o.foreign
		o.sign()
	}, form.Key},
	{"the checkpoint is changed", "", signed, func(o *opened) { o.replace(form.CheckpointsName, `trail/`, `trial/`) }, form.Checkpoints},
	{"the pack's own checkpoint is taken out", "", signed, func(o *opened) {
		o.lines(form.CheckpointsName, func(l []string) []string { return l[:len(l)-1] })
	}, form.Checkpoints},
	{"a consistency proof is put in", "", signed, func(o *opened) {
		o.replace(form.ConsistencyName, `"steps": [`, `"steps": [{"from":1,"to":2,"hashes":[]},`)
	}, form.Consistent},
	{"the consistency proofs are taken out", "", signed, func(o *opened) { o.remove(form.ConsistencyName) }, form.Consistent},

	{"a shown value is changed", "redacted", signed, func(o *opened) { o.recut(o.page(0), `"u1"`, `"u9"`) }, form.Page},
	{"a pseudonym is changed", "redacted", plain, func(o *opened) { o.flip(o.page(0), `"redacted-`) }, form.Sum},
	{"a pseudonym is changed, with all sums", "redacted", summed, func(o *opened) { o.recut(o.page(0), `"redacted-`, `"redacted-v-`) }, form.Signature},
	{"a pseudonym is a name", "redacted", signed, func(o *opened) {
		at := bytes.Index(o.content[o.page(0)], []byte(`"redacted-`))
		o.recut(o.page(0), string(o.content[o.page(0)][at:at+27]), `"Eve"`)
	}, form.Redaction},
	{"a salt is changed", "redacted", signed, func(o *opened) { o.recut(o.page(0), `["/id","`, `["/id","A`) }, form.Redaction},
	{"a path is changed", "redacted", signed, func(o *opened) { o.recut(o.page(0), `"/accountEnabled"`, `"/accountDisabled"`) }, form.Page},
	{"a record is taken out", "redacted", signed, func(o *opened) {
		p := o.page(1)
		was := string(o.content[p])
		o.recut(p, was, was[:strings.LastIndex(strings.TrimSuffix(was, "\n"), "\n")+1])
	}, form.Page},
	{"the redaction is widened", "redacted", signed, func(o *opened) { o.widen(o.page(0)) }, form.Redaction},
	{"the redaction is said to be less", "redacted", signed, func(o *opened) { o.m.Redaction = []string{"names"}; o.manifest() }, form.Redaction},
	{"the counts of the redaction are changed", "redacted", signed, func(o *opened) { o.m.Leaves.Shown++; o.manifest() }, form.Redaction},
	{"the members that are kept are said to be more", "redacted", signed, func(o *opened) { o.m.Kept = []string{"displayname"}; o.manifest() }, form.Redaction},
	{"the evidence is said to be none", "all", signed, func(o *opened) { o.m.Evidence = form.None; o.m.Pages = form.Pages{}; o.manifest() }, form.Structure},
}

// changeHash changes the first hash of an entry.
func (o *opened) changeHash(name string) {
	o.Helper()
	at := bytes.Index(o.content[name], []byte(`="`)) - 10
	if at < 0 {
		o.Fatalf("%s has no hash: %s", name, o.content[name])
	}
	if o.content[name][at]++; o.content[name][at] == '{' || o.content[name][at] == '[' || o.content[name][at] == ':' || o.content[name][at] == ',' ||
		o.content[name][at] == '0'-1 {
		o.content[name][at] = 'b'
	}
}

// recut changes a cut page, and its sum in the index.
func (o *opened) recut(page, old, with string) {
	o.Helper()
	was := sha256.Sum256(o.content[page])
	n := len(o.content[page])
	o.replace(page, old, with)
	o.resum(page, n, hex.EncodeToString(was[:]))
}

func (o *opened) resum(page string, n int, was string) {
	is := sha256.Sum256(o.content[page])
	o.lines(form.IndexName, func(l []string) []string {
		for i := range l {
			if strings.Contains(l[i], was) {
				l[i] = strings.Replace(l[i], was, hex.EncodeToString(is[:]), 1)
				l[i] = strings.Replace(l[i], `"bytes":`+itoa(n)+",\"sha", `"bytes":`+itoa(len(o.content[page]))+",\"sha", 1)
			}
		}
		return l
	})
}

func itoa(n int) string { b, _ := json.Marshal(n); return string(b) }

func (o *opened) flip(name, after string) {
	at := bytes.Index(o.content[name], []byte(after)) + len(after)
	o.content[name][at] ^= 1
}

// widen leaves a value out that is shown: by who has the salt, as all have.
func (o *opened) widen(page string) {
	o.Helper()
	was := sha256.Sum256(o.content[page])
	n := len(o.content[page])
	o.lines(page, func(l []string) []string {
		for i := range l {
			var leaves [][]any
			if json.Unmarshal([]byte(l[i]), &leaves) != nil || leaves[0][1] == nil || leaves[0][0] != "/id" {
				continue
			}
			inner := innerOf(leaves[0][1].(string), leaves[0][2].(string)) //nolint:errcheck // of a test
			l[i] = strings.Replace(l[i], `"`+leaves[0][1].(string)+`","`+leaves[0][2].(string)+`"`, `null,"redacted-0011223344556677","`+inner+`"`, 1)
			return l
		}
		o.Fatal("no id is shown")
		return l
	})
	o.resum(page, n, hex.EncodeToString(was[:]))
}

// TestTampered has each tampering found by both verifiers, and named.
func TestTampered(t *testing.T) {
	t.Parallel()
	if len(tamperings) < 40 {
		t.Errorf("%d tamperings", len(tamperings))
	}
	h := build(t, dbtest.SQLite(t))
	h.Fill()
	of, stamps := map[string][]byte{}, map[string][]byte{}
	for _, kind := range []string{"all", "redacted"} {
		of[kind] = madeOf(t, h, kinds[kind])
		stamps[kind] = takeApart(t, of[kind], nil).content[form.StampName]
	}
	foreign := build(t, dbtest.SQLite(t))
	trust := form.Trust{Key: h.Signer.Verifier(), Witnesses: []note.Verifier{witness(t, h.Witness)}}
	for _, x := range tamperings {
		t.Run(x.name, func(t *testing.T) {
			kind := x.kind
			if kind == "" {
				kind = "all"
			}
			o := takeApart(t, of[kind], h.Signer)
			o.other, o.foreign = stamps["redacted"], foreign.Signer
			x.change(o)
			if x.how >= summed {
				o.sums()
			}
			if x.how >= signed {
				o.sign()
			}
			large, little := byBoth(t, o.file(), trust, packtest.Count, "--key", h.Signer.Key(), "--witness", h.Witness)
			if !has(large, x.want) {
				t.Errorf("the large one does not say %s: %v", x.want, large)
			}
			if !has(little, x.want) {
				t.Errorf("the small one does not say %s: %v", x.want, little)
			}
		})
	}
}
