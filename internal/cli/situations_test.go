package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/cli"
)

// situation is one folder of exports, a command over it, and what the answer
// has to be. They are kept as data under testdata/situations.
type situation struct {
	Folder string   `json:"folder"` // below the shared folder, e.g. truth/role-ended
	Args   []string `json:"args"`   // {in} is the folder's input
	// Is names values of the JSON answer: a path, and the values that are right.
	Is []struct {
		At  string   `json:"at"` // .verdict, .requirements[id=mfa-every-sign-in].verdict
		Any []string `json:"any"`
	} `json:"is"`
	Says  []string `json:"says"`  // regular expressions that the output has to match
	Never []string `json:"never"` // and that it must not match
	Exit  *int     `json:"exit"`  // when given
}

const sharedFolder = "../../../shared"

// TestSituations runs every situation of the shared folders: real exports
// remade small, and traps that fooled the verdicts. Each was checked by hand;
// the values say what is right, not what the program says.
func TestSituations(t *testing.T) {
	files, err := filepath.Glob("testdata/situations/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no situations", err)
	}
	if _, err := os.Stat(sharedFolder); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("the shared folder is absent: the situations were not tried")
		}
		t.Skip("NOTE: the shared folder is absent: the situations were NOT tried")
	}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var list []situation
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&list); err != nil {
			t.Fatal(f, err)
		}
		for _, s := range list {
			t.Run(s.Folder+" "+strings.Join(s.Args[:1], ""), func(t *testing.T) { s.run(t) })
		}
	}
}

func (s *situation) run(t *testing.T) {
	in, err := filepath.Abs(filepath.Join(sharedFolder, s.Folder, "input"))
	if err != nil {
		t.Fatal(err)
	}
	args := slices.Clone(s.Args)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "{in}", in)
	}
	var stdout, stderr bytes.Buffer
	exit := cli.Main(context.Background(), cli.Env{
		Args: args, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, Getenv: func(string) string { return "" },
		Now: func() time.Time { return time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) },
	})
	out := strings.ReplaceAll(stdout.String()+stderr.String(), in, "input")
	if s.Exit != nil && exit != *s.Exit {
		t.Errorf("exit %d, want %d", exit, *s.Exit)
	}
	var answer any
	if len(s.Is) > 0 {
		if err := json.Unmarshal(stdout.Bytes(), &answer); err != nil {
			t.Fatalf("not JSON: %v\n%.2000s", err, out)
		}
	}
	bad := false
	for _, want := range s.Is {
		if got := lookUp(answer, want.At); !slices.Contains(want.Any, got) {
			t.Errorf("%s is %q, want one of %q", want.At, got, want.Any)
			bad = true
		}
	}
	for _, re := range s.Says {
		if !regexp.MustCompile(re).MatchString(out) {
			t.Errorf("the output does not match %q", re)
			bad = true
		}
	}
	for _, re := range s.Never {
		if at := regexp.MustCompile(re).FindString(out); at != "" {
			t.Errorf("the output says %q", at)
			bad = true
		}
	}
	if bad {
		t.Logf("%s\n%.4000s", strings.Join(args, " "), out)
	}
}

// lookUp follows a path: .member, [3], [member=value].
func lookUp(v any, path string) string {
	for step := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			v = nil
			key, want, byKey := strings.Cut(step, "=")
			for i, e := range in {
				m, _ := e.(map[string]any)
				if byKey && fmt.Sprint(m[key]) == want || !byKey && fmt.Sprint(i) == step {
					v = e
					break
				}
			}
		default:
			return "(nothing there)"
		}
	}
	if f, ok := v.(float64); ok && f == float64(int64(f)) {
		return fmt.Sprint(int64(f))
	}
	return fmt.Sprint(v)
}
