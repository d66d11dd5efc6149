package oath

import (
	"errors"
	"strings"
	"testing"

	"partnerguard/internal/problem"
)

const goodFile = `version: 1
cloud: public
tenant: 11111111-2222-3333-4444-555555555555
tokens:
  - serialNumber: mf-1
    user: aaaaaaaa-2222-3333-4444-555555555555
    act: upload
`

func TestFile(t *testing.T) {
	t.Parallel()
	f, err := ReadFile("plan.yaml", []byte(goodFile))
	if err != nil || len(f.Tokens) != 1 {
		t.Fatal(f, err)
	}
	plan := []Step{{Token: Token{Serial: "mf-1", User: "AAAAAAAA-2222-3333-4444-555555555555"}, Act: Upload}, {Token: Token{Serial: "mf-2"}, Act: Upload}}
	if got, err := f.Only(plan); err != nil || len(got) != 1 || got[0].Token.Serial != "mf-1" {
		t.Error(got, err)
	}
	plan[0].Token.User = "bbbbbbbb-2222-3333-4444-555555555555"
	if _, err := f.Only(plan); !errors.Is(err, problem.Conflict) {
		t.Errorf("another's token: %v", err)
	}
	f.Tokens = Lines(plan)
	b, err := f.YAML()
	if err != nil {
		t.Fatal(err)
	}
	f.Tokens[0].User = plan[0].Token.User
	if again, err := ReadFile("plan.yaml", b); err != nil || len(again.Tokens) != 2 {
		t.Error(again, err)
	}
	for name, change := range map[string][2]string{
		"another version": {"version: 1", "version: 2"}, "no tenant": {"11111111-2222", "x"},
		"an unknown member": {"cloud: public", "cloud: public\nsecret: x"},
		"no token":          {"tokens:\n", "token:\n"},
		"twice":             {"    act: upload\n", "    act: upload\n  - serialNumber: MF-1\n    user: a\n    act: upload\n"},
		"an anchor":         {"version: 1", "version: &a 1"}, "no serial": {"mf-1", "a/b"},
	} {
		if _, err := ReadFile("plan.yaml", []byte(strings.Replace(goodFile, change[0], change[1], 1))); !errors.Is(err, problem.BadInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(goodFile))
	f.Add([]byte("version: 1\ntokens: [{}]\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if got, err := ReadFile("plan.yaml", raw); err == nil && (len(got.Tokens) == 0 || got.Version != 1) {
			t.Errorf("%+v", got)
		}
	})
}
