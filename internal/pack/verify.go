package pack

import (
	"context"
	"errors"
	"os"

	"partnerguard/internal/pack/form"
	"partnerguard/internal/problem"
)

// Judging judges the evidence of a pack again; nil leaves it out.
type Judging func(context.Context, *Evidence) ([]Verdict, error)

// Telling holds what a pack tells beside its evidence to its signed verdicts; judged says that
// these came out again. Kind problem.Unmet where something is told otherwise.
type Telling func(ctx context.Context, ev *Evidence, judged bool) (*Files, error)

// Files is what holding the files of a pack to its verdicts came to.
type Files struct {
	Again []string `json:"again"`         // those that come out again, byte for byte
	Word  []string `json:"word"`          // what is its maker's word, and nothing in the pack shows
	Why   string   `json:"why,omitempty"` // why none came out again
}

// Report is what a verification came to.
type Report struct {
	*form.Verified
	// Rejudged says that the verdicts came out again from the evidence inside; NotJudged
	// why nobody tried.
	Rejudged    bool         `json:"rejudged"`
	NotJudged   string       `json:"notJudged,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
	Files       *Files       `json:"files,omitempty"` // nil: nobody looked
}

// VerifyFile verifies a pack: its form, sums, signature and proofs, that its verdicts come
// out again, and that its files tell these; tell may be nil too. What does not hold is in the report; an error says that it could not be
// read.
func VerifyFile(ctx context.Context, path string, t form.Trust, judge Judging, tell Telling) (*Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "%s cannot be read%s", path, problem.Reason(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, problem.Wrap(err, problem.BadInput, "%s is no file", path)
	}
	r, err := form.Open(f, info.Size())
	if err != nil {
		return Unreadable(err)
	}
	v, err := r.Verify(ctx, t)
	if err != nil {
		return nil, err
	}
	out := &Report{Verified: v}
	switch {
	case v.Err() != nil:
		out.NotJudged = "it does not hold"
	case v.Manifest.Unjudged != "":
		out.NotJudged = v.Manifest.Unjudged
	case judge == nil:
		out.NotJudged = "nobody was asked to"
	default:
		if err := out.judge(ctx, r, judge); err != nil {
			return nil, err
		}
	}
	if tell == nil || v.Err() != nil {
		return out, nil
	}
	return out, out.tell(ctx, r, tell)
}

// tell holds the files to the verdicts: whoever makes a pack may sign files that say something
// else.
func (r *Report) tell(ctx context.Context, from *form.Reader, tell Telling) error {
	v, err := View(ctx, from, r.Manifest)
	if err != nil {
		return err
	}
	r.Files, err = tell(ctx, &Evidence{FS: v, Manifest: r.Manifest}, r.Rejudged)
	if errors.Is(err, problem.Unmet) {
		r.Told(form.Verdicts, "the report", err.Error())
		return nil
	}
	return err
}

// Unreadable is the report of a file that is no pack; an error of another kind stays one.
func Unreadable(err error) (*Report, error) {
	v, err := form.Unreadable(err)
	if err != nil {
		return nil, err
	}
	return &Report{Verified: v, NotJudged: "it does not hold"}, nil
}

func (r *Report) judge(ctx context.Context, from *form.Reader, judge Judging) error {
	v, err := View(ctx, from, r.Manifest)
	if err != nil {
		return err
	}
	out, err := judge(ctx, &Evidence{FS: v, Manifest: r.Manifest})
	if errors.Is(err, problem.Unmet) { // what it tells is not what it signed, or cannot be judged by
		r.Told(form.Verdicts, "the report", err.Error())
		return nil
	}
	if err != nil {
		return err
	}
	r.Differences = Differences(r.Manifest.Verdicts, out)
	for _, d := range r.Differences {
		r.Told(form.Verdicts, d.Requirement, "the pack says "+or(d.Was, "nothing")+", and from the evidence inside it comes out as "+or(d.Is, "nothing"))
	}
	r.Rejudged = len(r.Differences) == 0
	return nil
}
