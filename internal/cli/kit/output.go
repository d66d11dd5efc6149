package kit

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
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// AddFrom adds --from: what a command reads. What it names of the archive is opened
// before the command runs.
func AddFrom(env *Env, cmd *cobra.Command, from *[]string) {
	cmd.Flags().StringArrayVar(from, "from", nil, "a file, a folder, archive: for what was collected, or - for standard input; may be repeated")
	addArchive(env, cmd, from)
}

func AddOut(cmd *cobra.Command, out *string) {
	cmd.Flags().StringVar(out, "out", "", "write to this file instead of standard output")
	_ = cmd.MarkFlagFilename("out")
}

// Forms are the ways to print one answer, by the word of --output.
type Forms map[string]func(io.Writer) error

// Output is how a command gives its answer: --output, the form, and where a file may
// hold it --out.
type Output struct {
	Choice        // of the form
	File   string // "" is standard output
}

// NewOutput is an output in one of the forms, the first where none is asked for.
func NewOutput(forms ...string) Output {
	return Output{Choice: Choice{Value: forms[0], Allowed: forms}}
}

// NewLines is NewOutput with jsonl besides: one JSON value a line. The word json,
// which once meant the same, is refused with a hint rather than giving a script that
// reads one value many.
func NewLines(forms ...string) Output {
	o := NewOutput(append(forms, "jsonl")...)
	o.gone = map[string]string{"json": "here is one row a line, which is jsonl: say --output jsonl"}
	return o
}

// Register adds --output to the command's flags.
func (o *Output) Register(cmd *cobra.Command) { o.RegisterAs(cmd, "how to print") }

// RegisterAs is Register with a help of one's own.
func (o *Output) RegisterAs(cmd *cobra.Command, usage string) {
	AddChoice(cmd, &o.Choice, "output", usage)
}

// RegisterFile adds --output and --out.
func (o *Output) RegisterFile(cmd *cobra.Command) {
	o.Register(cmd)
	AddOut(cmd, &o.File)
}

// Colour says whether the answer may carry colours: only on a terminal.
func (o *Output) Colour(env *Env) bool { return o.File == "" && Colour(env) }

// Paint is how tables and marks for people are shown.
func (o *Output) Paint(env *Env) Paint {
	p := NewPaint(env)
	if o.File != "" {
		p = Paint{}
	}
	return p
}

// Screen is how text for people is laid out.
func (o *Output) Screen(env *Env) print.Options {
	return print.Options{Width: Width(env), Color: o.Colour(env)}
}

// Write prints the answer in the form asked for, whole or not at all.
// What went into a file is told on standard error.
func (o *Output) Write(env *Env, forms Forms) error {
	form := forms[o.Value]
	if o.Value == "text" {
		form = Text(env, form)
	}
	if err := WriteOut(env, o.File, form); err != nil {
		return err
	}
	if o.File != "" && o.File != "-" {
		fmt.Fprintf(env.Stderr, "partnerguard: wrote %s\n", print.Clean(o.File, 300))
	}
	return nil
}

// Answer is Write of an answer that is text for people, or v as JSON.
func (o *Output) Answer(env *Env, v any, text func(io.Writer, Paint) error) error {
	return o.Write(env, Forms{
		"text": func(w io.Writer) error { return text(w, o.Paint(env)) },
		"json": func(w io.Writer) error { return print.JSON(w, v) },
	})
}

// Text makes write one of text for people: in a locale without UTF-8 its glyphs
// are ASCII.
func Text(env *Env, write func(io.Writer) error) func(io.Writer) error {
	if print.UTF8(env.Getenv) {
		return write
	}
	return func(w io.Writer) error {
		plain := print.ASCII(w)
		if err := write(plain); err != nil {
			return err
		}
		return plain.Close()
	}
}

// Say is Text on standard output, whole or not at all.
func Say(env *Env, write func(io.Writer) error) error { return WriteOut(env, "", Text(env, write)) }

// WriteOut runs write on standard output, or on a file that appears under its
// name only when it is whole: a failure leaves what was there before.
func WriteOut(env *Env, path string, write func(io.Writer) error) error {
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
		return problem.Wrap(err, problem.BadInput, "%s cannot be written%s", path, problem.Reason(err)).
			WithHint("check that the folder exists and may be written")
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
			return problem.Wrap(err, problem.BadInput, "%s cannot be written%s", path, problem.Reason(err))
		}
	}
	return nil
}

// Progress is a bar on standard error, on a terminal only, once the work has
// taken two seconds.
type Progress struct {
	env   *Env
	bar   *progressbar.ProgressBar
	tty   bool
	start time.Time
	looks []progressbar.Option
}

// NewProgress is a bar over bytes.
func NewProgress(env *Env, what string) *Progress {
	return newProgress(env, what, progressbar.OptionShowBytes(true))
}

// NewCount is a bar over things that are counted.
func NewCount(env *Env, what string) *Progress {
	return newProgress(env, what, progressbar.OptionShowCount())
}

func newProgress(env *Env, what string, unit progressbar.Option) *Progress {
	_, tty := Terminal(env.Stderr)
	return &Progress{env: env, tty: tty, start: env.Now(), looks: []progressbar.Option{
		progressbar.OptionSetDescription(what), unit, progressbar.OptionSetWriter(env.Stderr),
		progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30),
	}}
}

// Set is called with what is done and what there is in all (0 when unknown), from
// one goroutine.
func (p *Progress) Set(done, total int64) {
	if !p.tty || p.bar == nil && p.env.Now().Sub(p.start) < 2*time.Second {
		return
	}
	if total <= 0 {
		total = -1
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(total, p.looks...)
	} else if total != p.bar.GetMax64() {
		p.bar.ChangeMax64(total)
	}
	_ = p.bar.Set64(done)
}

// Found is Set with what is known so far, which may not be the whole.
func (p *Progress) Found(done, known int, whole bool) {
	if !whole {
		known = 0
	}
	p.Set(int64(done), int64(known))
}

func (p *Progress) Done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// maxTold bounds the lines that tellUnread writes.
const maxTold = 25

// TellUnread says on standard error which inputs were not read, or not whole,
// and why, so that a CSV on standard output stays clean.
func TellUnread(env *Env, f *facts.Facts) {
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
