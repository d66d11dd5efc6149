package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"partnerguard/internal/evidence"
	"partnerguard/internal/facts"
	"partnerguard/internal/problem"
)

func addFrom(cmd *cobra.Command, from *[]string) {
	cmd.Flags().StringArrayVar(from, "from", nil, "a file, a folder, or - for standard input; may be repeated")
}

func addOut(cmd *cobra.Command, out *string) {
	cmd.Flags().StringVar(out, "out", "", "write to this file instead of standard output")
	_ = cmd.MarkFlagFilename("out")
}

// forms are the ways to print one answer, by the word of --output.
type forms map[string]func(io.Writer) error

// writeOut runs write on standard output, or on a file that appears under its
// name only when it is whole: a failure leaves what was there before.
func writeOut(env *Env, path string, write func(io.Writer) error) error {
	if path == "" || path == "-" {
		b := bufio.NewWriterSize(env.Stdout, 1<<16)
		if err := write(b); err != nil {
			return err
		}
		if err := b.Flush(); err != nil {
			return problem.Wrap(err, problem.Internal, "standard output could not be written")
		}
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".partnerguard-*")
	if err != nil {
		return problem.Wrap(err, problem.BadInput, "%s cannot be written", path).WithHint("check that the folder exists and may be written")
	}
	temp := f.Name()
	defer os.Remove(temp) // nothing to remove once renamed
	b := bufio.NewWriterSize(f, 1<<16)
	if err := write(b); err != nil {
		f.Close()
		return err
	}
	// A report names accounts and their gaps: it stays the owner's (0600).
	for _, step := range []func() error{b.Flush, f.Sync, f.Close, func() error { return os.Rename(temp, path) }} {
		if err := step(); err != nil {
			f.Close()
			return problem.Wrap(err, problem.BadInput, "%s cannot be written", path)
		}
	}
	return nil
}

// progress is a bar on standard error, on a terminal only, once the work has
// taken two seconds.
type progress struct {
	bar   *progressbar.ProgressBar
	env   *Env
	what  string
	start time.Time
	tty   bool
}

func newProgress(env *Env, what string) *progress {
	_, tty := terminal(env.Stderr)
	return &progress{env: env, what: what, start: env.Now(), tty: tty}
}

// set is called with bytes done and in all (0 when unknown), from one
// goroutine.
func (p *progress) set(done, total int64) {
	if !p.tty || p.bar == nil && p.env.Now().Sub(p.start) < 2*time.Second {
		return
	}
	if p.bar == nil {
		if total <= 0 {
			total = -1
		}
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetDescription(p.what), progressbar.OptionShowBytes(true),
			progressbar.OptionSetWriter(p.env.Stderr), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	}
	_ = p.bar.Set64(done)
}

func (p *progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// maxTold bounds the lines that tellUnread writes.
const maxTold = 25

// tellUnread says on standard error which inputs were not read, or not whole,
// and why, so that a CSV on standard output stays clean.
func tellUnread(env *Env, f *facts.Facts) {
	told, more := 0, 0
	for i := range f.Inputs {
		in := &f.Inputs[i]
		what := "note"
		switch in.Status {
		case evidence.Partial, evidence.Unreadable:
			what = "not read whole"
		case evidence.NotRecognised:
			what = "not read"
		}
		notes := in.Notes
		if what == "not read whole" && len(notes) == 0 {
			notes = []evidence.Note{{Source: evidence.Source{Path: in.Path}}}
		}
		for n := range notes {
			if told == maxTold {
				more++
				continue
			}
			told++
			where, why := in.Path, ""
			if notes[n].Source.Path != "" {
				where = notes[n].Source.String()
			}
			if notes[n].Message != "" {
				why = ": " + notes[n].Message
			}
			fmt.Fprintf(env.Stderr, "partnerguard: %s: %s%s\n", where, what, why)
		}
	}
	if more > 0 {
		fmt.Fprintf(env.Stderr, "partnerguard: and %d more notes; assess --output json lists them\n", more)
	}
}
