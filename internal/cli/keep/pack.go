//go:build !judge

package keep

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"partnerguard/internal/app"
	"partnerguard/internal/cli/kit"
	"partnerguard/internal/pack"
	"partnerguard/internal/pack/form"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

func newPack(env *kit.Env) *cobra.Command {
	var in kit.Installation
	cmd := &cobra.Command{
		Use: "pack", Short: "Make one file of a month's verdicts with the evidence, and re-check one",
		Long: `pack makes one file of what was judged in a period, for an auditor, an insurer,
Microsoft or a customer: the report, the rule book, the evidence with its proofs, and
the audit trail's part. Everything is under one signature, each page of evidence under
a signed checkpoint of the trail, and the verdicts come out again from what is inside.

Who gets a pack checks it with pack verify, without a server and without a network, or
with the small program verify/, which is the standard library of Go and nothing else.`,
		Example: `  partnerguard pack make --period 2026-10 --out pack.zip
  partnerguard pack verify pack.zip
  partnerguard pack show pack.zip`,
		Args: kit.Only("pack", "make, verify, show, list and once"),
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPackMake(env, &in), newPackVerify(env), newPackShow(env), newPackList(env, &in), newPackOnce(env, &in))
	return cmd
}

// period reads 2026, 2026-10, 2026-10-12 or FROM/TO, of which TO is not in it.
func period(s string) (from, to time.Time, err error) {
	if a, b, ok := strings.Cut(s, "/"); ok {
		from, err := time.Parse(time.DateOnly, a)
		to, err2 := time.Parse(time.DateOnly, b)
		if err == nil && err2 == nil && from.Before(to) {
			return from, to, nil
		}
	}
	for _, f := range []struct {
		form                string
		years, months, days int
	}{{"2006", 1, 0, 0}, {"2006-01", 0, 1, 0}, {time.DateOnly, 0, 0, 1}} {
		if at, err := time.Parse(f.form, s); err == nil {
			return at, at.AddDate(f.years, f.months, f.days), nil
		}
	}
	return from, to, problem.New(problem.Usage, "%.40q is no period", s).
		WithHint("a year, a month or a day: 2026, 2026-10, 2026-10-12; or a first day and the day after the last: 2026-10-01/2026-12-01")
}

func newPackMake(env *kit.Env, in *kit.Installation) *cobra.Command {
	var o pack.Options
	var of string
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "make", Short: "Make a pack of a period", Args: kit.NoWords,
		Long: `make judges the evidence as of the end of the period, or as of now where that is not
over, and writes the pack. It takes its name when it is whole, and never the place of
another file. That it was made is an entry of the audit trail, with its sum.

--evidence says how much of the evidence is in it: all, the newest whole lists and the
logs of the period; deciding, only what the report rests on; none. --redact leaves out
who somebody is (names) and where somebody was (addresses), of all that is inside, so
that the rest is still proved. What is left out must not decide: where a verdict comes
out otherwise the pack is not made, and the members that the judge needs are named, for
--keep.

With a timestamp anchor in the settings the pack is stamped by that authority.`,
		Example: `  partnerguard pack make --period 2026-10 --out pack.zip
  partnerguard pack make --period 2026-10 --for insurer --redact names,addresses --out insurer.zip
  partnerguard pack make --period 2026-10-01/2026-12-01 --customer 7b2d1c5e-0f6a-4f2f-9a41-3f1d6f0c9e21 --for customer --out customer.zip`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.From, o.To, err = period(of); err != nil {
				return err
			}
			if o.Out == "" {
				return problem.New(problem.Usage, "--out names the file that the pack is written to").
					WithHint("partnerguard pack make --period 2026-10 --out pack.zip")
			}
			i, err := openKept(cmd.Context(), env, in)
			if err != nil {
				return err
			}
			bar := kit.NewProgress(env, "packing")
			o.Progress = bar.Set
			made, err := i.MakePack(cmd.Context(), o)
			bar.Done()
			if err == nil {
				err = output.Answer(env, made, func(w io.Writer, p kit.Paint) error { return packMadeText(w, made, p) })
			}
			return kit.Closing(err, i.Close)
		},
	}
	f := cmd.Flags()
	f.StringVar(&of, "period", "", "2026-10, 2026, 2026-10-12 or 2026-10-01/2026-12-01 (required)")
	f.StringVar(&o.Out, "out", "", "the file (required)")
	f.StringVar(&o.Tenant, "tenant", "", "whose, by id; needed where the archive has more than one and it is not clear")
	f.StringVar(&o.Customer, "customer", "", "of this customer's tenant, by id or domain")
	f.StringVar(&o.Reader, "for", "auditor", "who reads it: auditor, insurer, microsoft, customer")
	f.StringVar(&o.Evidence, "evidence", form.All, "how much of the evidence: all, deciding, none")
	f.StringSliceVar(&o.Redact, "redact", nil, "what is left out: names, addresses")
	f.StringSliceVar(&o.Keep, "keep", nil, "members that are shown all the same, e.g. displayName")
	f.BoolVar(&o.NotRejudged, "not-rejudged", false, "make it also where verdicts come out otherwise with what is left out, and say so in it")
	_ = cmd.MarkFlagRequired("period")
	_ = cmd.MarkFlagFilename("out", "zip")
	output.Register(cmd)
	in.Register(cmd)
	return cmd
}

func packMadeText(w io.Writer, m *pack.Made, p kit.Paint) error {
	of := m.Manifest
	fmt.Fprintf(w, "%s: %s, %s, for %s\n", p.Bold(m.Path), of.Name, size(m.Size), of.Reader)
	fmt.Fprintf(w, "%s, %s of evidence; as of %s\n", kit.Plural(len(of.Verdicts), "verdict", "verdicts"),
		kit.Plural(int(of.Pages.Count), "page", "pages"), of.AsOf.Format(time.DateTime))
	if of.Unjudged != "" {
		fmt.Fprintln(w, "the verdicts do not come out again from it:", print.Clean(of.Unjudged, 600))
	}
	for _, x := range of.Recounted {
		fmt.Fprintf(w, "%s is unknown with what is left out and without; before it counted %d of %d\n", x.Requirement, x.Affected, x.Total)
	}
	if !m.Stamped {
		fmt.Fprintln(w, "no time stamp: set a timestamp anchor to have packs stamped")
	}
	_, err := fmt.Fprintf(w, "SHA-256 %s\ngive its reader the key by another way: partnerguard trail key\n", m.SHA256)
	return err
}

// packVerify are the flags of pack verify.
type packVerify struct {
	key, roots string
	witnesses  []string
	rejudge    bool
}

func newPackVerify(env *kit.Env) *cobra.Command {
	v := packVerify{rejudge: true}
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Check a pack without a server: every byte, every proof, and that its verdicts come out again",
		Args: onePack("partnerguard pack verify pack.zip"),
		Long: `verify reads a pack and nothing else: no server, no network, no settings. It checks
that the file is a pack and holds nothing besides; every sum; the signature; that each
page of evidence is under the signed checkpoints of the audit trail; that each checkpoint
is the beginning of the next; what was left out; the time stamp. Then it judges the
evidence inside again, by this program's rules: each verdict must come out as it is said.

--key names the key that the pack must be signed by, as trail key printed it where it was
made: get it by another way than the pack. Without it the pack's own word is taken for
it, which is told.

Exit code 3 says that something does not hold: each is named, with the entry and the check.`,
		Example: `  partnerguard pack verify pack.zip --key partnerguard/trail/…+…
  partnerguard pack verify pack.zip --roots tsa.pem --output json
  partnerguard pack verify pack.zip --rejudge=false`,
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := app.PackTrust(v.key, v.witnesses, v.roots)
			if err != nil {
				return err
			}
			bar := kit.NewProgress(env, "verifying")
			t.Progress = bar.Set
			reading := &app.PackReading{}
			judge := reading.Again
			if !v.rejudge {
				judge = nil
			}
			r, err := pack.VerifyFile(cmd.Context(), args[0], t, judge, reading.Told)
			bar.Done()
			if err != nil {
				return err
			}
			if err := output.Answer(env, r, func(w io.Writer, p kit.Paint) error { return packVerifyText(w, r, p) }); err != nil {
				return err
			}
			return r.Err()
		},
	}
	f := cmd.Flags()
	f.StringVar(&v.key, "key", "", "the key that it must be signed by")
	f.StringSliceVar(&v.witnesses, "witness", nil, "the key of a witness, whose cosignatures are checked; may be repeated")
	f.StringVar(&v.roots, "roots", "", "a PEM file of the authorities that time stamps must come from")
	f.BoolVar(&v.rejudge, "rejudge", true, "judge the evidence inside again")
	_ = cmd.MarkFlagFilename("roots", "pem")
	output.Register(cmd)
	return cmd
}

func onePack(example string) cobra.PositionalArgs {
	return kit.Between(1, 1, problem.New(problem.Usage, "it takes the file of a pack, and nothing else").WithHint("%s", example))
}

func packVerifyText(w io.Writer, r *pack.Report, p kit.Paint) error {
	head := "the pack holds"
	if len(r.Faults) > 0 {
		head = "the pack does not hold"
	}
	fmt.Fprintln(w, p.Bold(head))
	for _, f := range r.Faults {
		fmt.Fprintf(w, "  %-12s %s: %s\n", f.Check, print.Clean(f.Where, 200), print.Clean(f.What, 600))
	}
	if r.More > 0 {
		fmt.Fprintf(w, "  and %d more\n", r.More)
	}
	m := r.Manifest
	if m == nil {
		return nil
	}
	packText(w, m)
	if r.Pinned {
		fmt.Fprintf(w, "signed by the key that was given, of %s\n", print.Clean(r.Key, 200))
	} else {
		fmt.Fprintf(w, "signed by its own key, of %s: whose that is, only --key says\n", print.Clean(r.Key, 200))
	}
	fmt.Fprintf(w, "%s; %s of evidence of %s; %s of the trail; %s\n", kit.Plural(r.Entries, "entry", "entries"),
		kit.Plural(int(r.Pages), "page", "pages"), kit.Plural(r.Segments, "segment", "segments"), kit.Plural(int(r.Trail), "entry", "entries"),
		kit.Plural(int(r.Checkpoints), "checkpoint", "checkpoints"))
	if r.Cosigned > 0 || r.Unchecked > 0 {
		fmt.Fprintf(w, "%d cosignatures and stamps of checkpoints hold; %d could not be checked: nothing was given to check them by\n", r.Cosigned, r.Unchecked)
	}
	switch {
	case r.Stamped.IsZero():
		fmt.Fprintln(w, "no time stamp")
	case r.Trusted:
		fmt.Fprintf(w, "stamped %s by one of the authorities that were given\n", r.Stamped.Format(time.DateTime))
	default:
		fmt.Fprintf(w, "stamped %s, as the stamp says: by whom, only --roots says\n", r.Stamped.Format(time.DateTime))
	}
	if r.Rejudged {
		fmt.Fprintf(w, "%s came out again from the evidence inside\n", kit.Plural(len(m.Verdicts), "verdict", "verdicts"))
	} else if r.NotJudged != "" {
		fmt.Fprintf(w, "the verdicts were not judged again: %s\n", print.Clean(r.NotJudged, 600))
	}
	return packFilesText(w, r.Files)
}

// packFilesText says which files come of the evidence, and what is their maker's word.
func packFilesText(w io.Writer, f *pack.Files) error {
	switch {
	case f == nil:
		return nil
	case len(f.Again) > 0:
		fmt.Fprintf(w, "made anew from the evidence, byte for byte: %s\n", strings.Join(f.Again, ", "))
	default:
		fmt.Fprintf(w, "report.json, practices.json, OSCAL and OCSF tell the verdicts that were signed; they were not made anew: %s\n", print.Clean(f.Why, 300))
	}
	_, err := fmt.Fprintf(w, "the maker's word alone: %s\n", print.Clean(strings.Join(f.Word, "; "), 1000))
	return err
}

// packText says what a pack is of, as it says itself.
func packText(w io.Writer, m *pack.Manifest) {
	fmt.Fprintf(w, "%s of the tenant %s, %s to %s, for %s; made %s by %s\n", print.Clean(m.Name, 130), print.Clean(m.Tenant, 80), m.From.Format(time.DateOnly),
		m.To.Format(time.DateOnly), m.Reader, m.Made.Format(time.DateTime), print.Clean(m.Tool, 80))
	if n := m.Leaves; n != nil {
		fmt.Fprintf(w, "left out: %s; %d values by the name of their member, %d by how they look, %d records whole; %d are shown\n",
			strings.Join(m.Redaction, ", "), n.ByMember, n.ByLook, n.Withheld, n.Shown)
	}
}

func newPackShow(env *kit.Env) *cobra.Command {
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "show FILE", Short: "Show what a pack says of itself; nothing of it is checked", Args: onePack("partnerguard pack show pack.zip"),
		Example: "  partnerguard pack show pack.zip\n  partnerguard pack show pack.zip --output json | jq '.verdicts[]'",
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return problem.Wrap(err, problem.NotFound, "%s cannot be read%s", args[0], problem.Reason(err))
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				return err
			}
			r, err := form.Open(f, info.Size())
			if err != nil {
				return err
			}
			m, err := r.ReadManifest()
			if err != nil {
				return err
			}
			return output.Answer(env, m, func(w io.Writer, p kit.Paint) error {
				packText(w, m)
				fmt.Fprintln(w)
				kit.Table(w, p, m.Verdicts,
					kit.Col("requirement", func(v *pack.Verdict) string { return print.Clean(v.Requirement, 80) }),
					kit.Col("verdict", func(v *pack.Verdict) string { return print.Clean(v.Count(), 80) }),
					kit.Col("reason", func(v *pack.Verdict) string { return print.Clean(v.Reason, 200) }))
				_, err := fmt.Fprintln(w, "\nthis is what it says: partnerguard pack verify checks it")
				return err
			})
		},
	}
	output.Register(cmd)
	return cmd
}

func newPackList(env *kit.Env, in *kit.Installation) *cobra.Command {
	var limit int
	output := kit.NewOutput("text", "json")
	cmd := &cobra.Command{
		Use: "list", Short: "List the packs that were made here, the newest first", Args: kit.NoWords,
		Example: "  partnerguard pack list\n  partnerguard pack list --output json | jq -r '.packs[].sha256'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := in.Data(cmd.Context(), env, false)
			if err != nil {
				return err
			}
			list, err := i.Packs.List(cmd.Context(), max(1, limit))
			if err == nil {
				answer := struct {
					Schema string     `json:"schema"`
					Packs  []pack.Row `json:"packs"`
				}{"partnerguard.packs/1", list}
				err = output.Answer(env, answer, func(w io.Writer, p kit.Paint) error { return packListText(w, list, p) })
			}
			return kit.Closing(err, i.Close)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 100, "how many")
	output.Register(cmd)
	in.Register(cmd)
	return cmd
}

func packListText(w io.Writer, list []pack.Row, p kit.Paint) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no pack was made")
		return err
	}
	kit.Table(w, p, list,
		kit.Col("pack", func(r *pack.Row) string { return r.Name }),
		kit.Col("tenant", func(r *pack.Row) string { return r.Tenant }),
		kit.Col("period", func(r *pack.Row) string { return r.From.Format(time.DateOnly) + " to " + r.To.Format(time.DateOnly) }),
		kit.Col("for", func(r *pack.Row) string { return r.Reader }),
		kit.Col("evidence", func(r *pack.Row) string { return strings.Join(append([]string{r.Evidence}, r.Redaction...), ", ") }),
		kit.Col("size", func(r *pack.Row) string { return size(r.Size) }),
		kit.Col("made", func(r *pack.Row) string { return r.Made.Format(time.DateTime) }),
		kit.Col("by", func(r *pack.Row) string { return print.Clean(r.Actor, 60) }))
	return nil
}
