package app

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"partnerguard/internal/evidence"
)

// FuzzReadAhead holds the reading on several cores to the one that takes one record
// after the other, on any text.
func FuzzReadAhead(f *testing.F) {
	list := logOf(12, 7)
	array := "[" + strings.Join(list, ",") + "]"
	for _, s := range []string{
		array, graphPage(list, ""), `{"records":[` + strings.Join(diagnosticOf(list[:4]), ",") + "]}\n" + `{"records":[]}`, strings.Join(list[:3], "\n"),
		array[:len(array)/2], "[" + list[0] + "," + `{"id":[}` + "," + list[1] + "]", "[" + list[0] + ",,1,\"x\",[" + list[1] + "]]",
		tableOf(6, 1, "1/2/2006, 3:04:05.000 PM", workspaceColumns...), tableOf(6, 2, "2006-01-02T15:04:05Z", portalColumns...),
		tableOf(6, 3, "2006-01-02T15:04:05Z", scriptColumns...),
	} {
		f.Add([]byte(s))
	}
	read := func(t *testing.T, text []byte, ahead bool) (out readOut) {
		r := Reading{From: []string{"-"}, Stdin: bytes.NewReader(text), CSV: true, Now: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
		if !ahead {
			r.records = func(evidence.Kind, []byte, evidence.Source) {}
		}
		var csv bytes.Buffer
		found, err := Read(t.Context(), r, &csv)
		if err != nil {
			return readOut{Err: err.Error()}
		}
		for _, v := range []struct {
			to   *string
			from any
		}{{&out.Summary, found.SignIns}, {&out.Inputs, found.Inputs}, {&out.Seen, found.Seen}} {
			b, err := json.Marshal(v.from)
			if err != nil {
				t.Fatal(err)
			}
			*v.to = string(b)
		}
		out.CSV = csv.String()
		return out
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if d := cmp.Diff(read(t, text, false), read(t, text, true)); d != "" {
			t.Errorf("read ahead, it differs (-one by one +ahead):\n%.3000s", d)
		}
	})
}
