package problem_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/problem"
)

func TestErrorHidesItsCause(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("outer: %w", problem.Wrap(io.ErrUnexpectedEOF, problem.BadInput, "file %q ends early", "a.json").WithHint("export it again"))
	if got := err.Error(); strings.Contains(got, "EOF") || !strings.Contains(got, `file "a.json" ends early`) {
		t.Errorf("message = %q", got)
	}
	if !errors.Is(err, problem.BadInput) || !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, problem.Usage) {
		t.Error("kind or cause is not reachable through errors.Is")
	}
	if got := problem.HintOf(err); got != "export it again" {
		t.Errorf("hint = %q", got)
	}
	plain := problem.New(problem.TooMany, "wait")
	if later := plain.WithAfter(time.Minute); later.After != time.Minute || plain.After != 0 || plain.Cause() != nil {
		t.Errorf("after = %v, and before %v", later.After, plain.After)
	}
}

func TestExitCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("any"), 1},
		{problem.New(problem.BadInput, "x"), 1},
		{fmt.Errorf("run: %w", problem.New(problem.Usage, "x")), 2},
		{problem.New(problem.Unmet, "x"), 3},
		{problem.New(problem.Unauthenticated, "x"), 1},
		{problem.New(problem.Forbidden, "x"), 1},
		{problem.New(problem.Conflict, "x"), 1},
		{problem.New(problem.Unavailable, "x"), 1},
		{problem.New(problem.TooMany, "x"), 1},
	} {
		if got := problem.ExitCode(c.err); got != c.want {
			t.Errorf("ExitCode(%v) = %d, want %d", c.err, got, c.want)
		}
	}
}
