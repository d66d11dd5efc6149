//go:build !judge

package app

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/pack/report"
	"partnerguard/internal/problem"
	"partnerguard/internal/trail"
)

// PackReading judges a pack that is read, and holds its files to what comes out, for
// [pack.VerifyFile]. It is of one pack, and for one goroutine.
type PackReading struct {
	in *report.Input // of the report that came out; nil: nobody judged
}

// Again judges it by what is in it alone.
func (p *PackReading) Again(ctx context.Context, ev *pack.Evidence) (out []pack.Verdict, err error) {
	p.in, out, err = againPack(ctx, ev)
	return out, err
}

// What no evidence in a pack shows.
var packWords = []string{"the days before the last in report.json and report.html", "exceptions.json", report.StatementsEntry, report.GapsEntry}

// packMade are the files that come of the evidence and of packWords.
var packMade = []string{"README.txt", "report.html", "report.json", oscalEntry, ocsfEntry, report.BookEntry, "practices.json"}

// Told holds every verdict that a file of the pack tells to the signed ones. Where they came
// out again and the same version of this program made it, the files are made anew and
// compared byte for byte.
func (p *PackReading) Told(_ context.Context, ev *pack.Evidence, judged bool) (*pack.Files, error) {
	of, ok := ev.FS.(packEntries)
	if !ok {
		return nil, problem.New(problem.Unmet, "the pack's own entries cannot be read")
	}
	m := ev.Manifest
	if err := toldAlike(of, m); err != nil {
		return nil, err
	}
	out := &pack.Files{Again: []string{}, Word: slices.Clone(packWords)}
	if slices.ContainsFunc(m.Entries, func(e pack.Entry) bool { return e.Path == "sbom.cdx.json" }) {
		out.Word = append(out.Word, "sbom.cdx.json")
	}
	switch tool := packTool(); {
	case !judged || p.in == nil:
		out.Why = "the verdicts were not judged again"
	case m.Tool != tool:
		out.Why = "it was made by " + m.Tool + ", and this is " + tool
	default:
		if err := p.anew(of, m); err != nil {
			return nil, err
		}
		out.Again = slices.Clone(packMade)
		return out, nil
	}
	out.Word = append([]string{"what report.html says", "what README.txt, report.json, OSCAL, OCSF and the rule book say besides the verdicts"}, out.Word...)
	return out, nil
}

// packTool is what a pack says of the program that made it.
func packTool() string { return "partnerguard " + Program().String() }

// anew makes the files anew and compares them.
func (p *PackReading) anew(of packEntries, m *pack.Manifest) error {
	in := *p.in
	if err := readMaker(of, m, &in); err != nil {
		return err
	}
	files, err := report.Files(&in)
	if err != nil {
		return err
	}
	for _, f := range files {
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			return err
		}
		raw, err := of.Entry(f.Path)
		if err != nil {
			return problem.Wrap(err, problem.Unmet, "the pack's own %s cannot be read", f.Path)
		}
		if !bytes.Equal(raw, b.Bytes()) {
			return problem.New(problem.Unmet, "%s is not the one that comes of the evidence: it differs from byte %d on", f.Path,
				parting(raw, b.Bytes()))
		}
	}
	return nil
}

// parting is where two texts begin to differ.
func parting(a, b []byte) int {
	for n := range min(len(a), len(b)) {
		if a[n] != b[n] {
			return n
		}
	}
	return min(len(a), len(b))
}

// readMaker reads what a pack's report is made of and no evidence shows: the days, the
// exceptions, the checkpoint, and the signatures of the findings.
func readMaker(of packEntries, m *pack.Manifest, in *report.Input) error {
	var told struct {
		Days []report.Day `json:"days"`
	}
	var except struct {
		Exceptions []report.Exception `json:"exceptions"`
	}
	for _, x := range []struct {
		name string
		into any
	}{{"report.json", &told}, {"exceptions.json", &except}} {
		raw, err := of.Entry(x.name)
		if err == nil {
			err = json.Unmarshal(raw, x.into)
		}
		if err != nil {
			return problem.Wrap(err, problem.Unmet, "the pack's own %s cannot be read", x.name)
		}
	}
	in.Days, in.Exceptions = told.Days, except.Exceptions
	at, err := ownCheckpoint(of, m)
	if err != nil {
		return err
	}
	in.Checkpoint = report.Checkpoint{Origin: at.Origin, Size: at.Size, Root: hex.EncodeToString(at.Root[:])}
	in.Sign, err = readSigned(of, m)
	return err
}

// ownCheckpoint is the pack's own, the last, whose signature is checked by then.
func ownCheckpoint(of packEntries, m *pack.Manifest) (at trail.Checkpoint, err error) {
	raw, err := of.Entry(form.CheckpointsName)
	if err != nil {
		return at, err
	}
	lines := strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
	var x form.Checkpoint
	key, err := note.NewVerifier(m.Key)
	if err == nil {
		err = json.Unmarshal([]byte(lines[len(lines)-1]), &x)
	}
	if err == nil {
		at, err = trail.OpenNote([]byte(x.Note), key)
	}
	if err != nil {
		return at, problem.Wrap(err, problem.Unmet, "the pack's own checkpoint cannot be read")
	}
	return at, nil
}

// signedBefore gives the signatures that stand in a pack, each only where it is one.
type signedBefore struct {
	key  string
	by   note.Verifier
	sigs map[string][]byte
}

// readSigned reads the signatures of the findings.
func readSigned(of packEntries, m *pack.Manifest) (*signedBefore, error) {
	by, err := note.NewVerifier(m.Key)
	if err != nil {
		return nil, problem.Wrap(err, problem.Unmet, "the pack's key cannot be read")
	}
	raw, err := of.Entry(ocsfEntry)
	if err != nil {
		return nil, problem.Wrap(err, problem.Unmet, "the pack's own %s cannot be read", ocsfEntry)
	}
	s, before := &signedBefore{m.Key, by, map[string][]byte{}}, ""
	for line := range bytes.Lines(raw) {
		finger, text, sig, err := report.CheckFinding(line, before)
		if err != nil {
			return nil, problem.Wrap(err, problem.Unmet, "%s: %s", ocsfEntry, err)
		}
		s.sigs[string(text)], before = sig, finger
	}
	return s, nil
}

// Key implements [report.Signer].
func (s *signedBefore) Key() string { return s.key }

// Sign implements [report.Signer]: nothing is signed here.
func (s *signedBefore) Sign(text []byte) ([]byte, error) {
	sig := s.sigs[string(text)]
	if sig == nil || !s.by.Verify(text, sig) {
		return nil, problem.New(problem.Unmet, "%s has a finding that the evidence does not give, or that the pack's key did not sign", ocsfEntry)
	}
	return sig, nil
}
