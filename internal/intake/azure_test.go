package intake_test

import (
	"context"
	"io"
	"testing"
	"testing/fstest"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake"
)

// kindSink counts what is handed over, also where no rule is decided by it.
type kindSink map[evidence.Kind]int

func (s kindSink) Record(kind evidence.Kind, _ []byte, _ evidence.Source) (string, error) {
	s[kind]++
	return "", nil
}

func (s kindSink) Unjudged(kind evidence.Kind, _ []byte, _ evidence.Source) error {
	s[kind]++
	return nil
}

func (s kindSink) SignInLines(_ context.Context, r io.Reader, _ string, _ func([]byte, evidence.Source) error, _ func(evidence.Note)) (int, error) {
	_, err := io.Copy(io.Discard, r)
	s[evidence.SignIn]++
	return 1, err
}

// TestAzuresRows: a row of the Activity Log has a category and properties, as diagnostic rows
// of other logs have, and is still one; a row of usage details is told by its type.
func TestAzuresRows(t *testing.T) {
	t.Parallel()
	const activity = `{"eventDataId":"e","eventTimestamp":"2026-03-01T00:00:00Z","category":{"value":"Administrative"},"properties":{"statusCode":"OK"},` +
		`"operationName":{"value":"Microsoft.Compute/virtualMachines/write"},"correlationId":"c","resourceId":"/subscriptions/s"}` + "\n"
	const usage = `{"id":"/u/1","name":"1","type":"Microsoft.Consumption/usageDetails","kind":"modern","tags":{},"properties":{"date":"2026-03-01"}}` + "\n"
	const other = `{"time":"2026-03-01T00:00:00Z","category":"NetworkSecurityGroupEvent","properties":{},"operationName":"NetworkSecurityGroupEvents"}` + "\n"
	for name, c := range map[string]struct {
		text string
		want evidence.Kind
	}{"activity": {activity, evidence.AzureActivity}, "usage": {usage, evidence.AzureUsage}, "another log": {other, ""}} {
		got := kindSink{}
		if _, err := intake.ReadFS(t.Context(), intake.Options{}, fstest.MapFS{"x.jsonl": {Data: []byte(c.text)}}, "x", got); err != nil {
			t.Fatal(err)
		}
		if c.want == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 || got[c.want] != 1 {
			t.Errorf("%s: %v", name, got)
		}
	}
}
