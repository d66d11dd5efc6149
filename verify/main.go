package main

import (
	"cmp"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, complain io.Writer) int {
	f := flag.NewFlagSet("verify", flag.ContinueOnError)
	f.SetOutput(complain)
	key := f.String("key", "", "the key that the pack must be signed by, as partnerguard trail key prints it; without it the pack's own word is taken for it")
	roots := f.String("roots", "", "a PEM file of the authorities that time stamps must come from")
	var witnesses []string
	f.Func("witness", "the key of a witness, whose cosignatures are checked; may be given again", func(s string) error {
		witnesses = append(witnesses, s)
		return nil
	})
	f.Usage = func() {
		fmt.Fprintln(complain, "usage: verify [--key KEY] [--witness KEY] [--roots PEM] PACK")
		f.PrintDefaults()
	}
	if err := f.Parse(args); err != nil || f.NArg() != 1 {
		if err == nil {
			f.Usage()
		}
		return 2
	}
	v, err := verifyFile(f.Arg(0), *key, witnesses, *roots)
	if err != nil {
		fmt.Fprintln(complain, "verify:", err)
		return 2
	}
	v.tell(out)
	if len(v.Faults) > 0 {
		return 3
	}
	return 0
}

func verifyFile(path, key string, witnesses []string, roots string) (*Verified, error) {
	t, err := trustOf(key, witnesses, roots)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or(err, errors.New("it is no file"))
	}
	return Verify(file, info.Size(), t), nil
}

func trustOf(key string, witnesses []string, roots string) (t Trust, err error) {
	if key != "" {
		if t.Key, err = parseKey(key, algEd25519); err != nil {
			return t, fmt.Errorf("the key: %w", err)
		}
	}
	for _, w := range witnesses {
		k, err := parseKey(w, algCosigner)
		if err != nil {
			return t, fmt.Errorf("a witness's key: %w", err)
		}
		t.Witnesses = append(t.Witnesses, k)
	}
	if roots != "" {
		raw, err := os.ReadFile(roots)
		if err != nil {
			return t, err
		}
		t.Roots = x509.NewCertPool()
		if !t.Roots.AppendCertsFromPEM(raw) {
			return t, fmt.Errorf("%s has no certificate in it", roots)
		}
	}
	return t, nil
}

// tell says what was found.
func (v *Verified) tell(out io.Writer) {
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	for _, f := range v.Faults {
		say("FAULT %s: %s: %s", f.Check, f.Where, f.What)
	}
	if v.More > 0 {
		say("and %d faults more", v.More)
	}
	m := v.Manifest
	if m == nil {
		return
	}
	say("%s of %s, %s to %s, for %s, made %s by %s", printable(m.Name), printable(m.Tenant), m.From.Format(time.DateOnly), m.To.Format(time.DateOnly),
		printable(m.Reader), m.Made.Format(time.RFC3339), printable(m.Tool))
	say("signed by the key of %s; %s", printable(v.Key), map[bool]string{true: "it was given", false: "whose that is, nobody says here: give --key"}[v.Pinned])
	say("%d entries; %d pages of evidence, %d bytes, of %d segments; %d entries of the trail; %d checkpoint%s", v.Entries, v.Pages, v.PageBytes,
		v.Segments, v.Trail, v.Checkpoints, map[bool]string{false: "s"}[v.Checkpoints == 1])
	say("%d pages are compressed: they were held to their sums and not opened; zstd -d opens them", v.Frames)
	say("%d cosignatures and stamps of checkpoints hold; %d could not be checked: nothing was given to check them by", v.Witnessed, v.Unchecked)
	say("%s", map[bool]string{true: "no time stamp", false: "stamped " + v.Stamped.Format(time.RFC3339) + map[bool]string{
		true: ", by an authority of those that were given", false: ", as the stamp says: give --roots to know by whom"}[v.Trusted]}[v.Stamped.IsZero()])
	if len(m.Redaction) > 0 {
		say("left out: %s; %d values are shown, %d left out by the name of their member, %d by how they look, %d records whole",
			strings.Join(m.Redaction, ", "), m.Leaves.Shown, m.Leaves.ByMember, m.Leaves.ByLook, m.Leaves.Withheld)
	}
	if m.Unjudged != "" {
		say("its verdicts do not come out again from it, it says: %s", printable(m.Unjudged))
	}
	say("what its report, OSCAL, OCSF and other files tell is its maker's word here: partnerguard pack verify holds them to the verdicts")
	if len(v.Faults) == 0 {
		say("THE PACK HOLDS. %d verdicts were not judged again: partnerguard pack verify does.", len(m.Verdicts))
	} else {
		say("THE PACK DOES NOT HOLD.")
	}
}

var controls = regexp.MustCompile(`[\x00-\x1f\x7f-\x9f]`)

// printable keeps what a pack says from speaking to a terminal.
func printable(s string) string { return controls.ReplaceAllString(s, "?") }
