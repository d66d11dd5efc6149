//go:build !judge

package app_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"partnerguard/internal/app"
	"partnerguard/internal/delegation/recommend"
	"partnerguard/internal/sample"
)

// sampleIn is a folder with the sample partner as it would be exported, its customers' own
// lists beside.
func sampleIn(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, sample.FS()); err != nil {
		t.Fatal(err)
	}
	for tenant, files := range sample.Customers() {
		if err := os.CopyFS(filepath.Join(dir, "customers", tenant), files); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// What lies in customers/<tenant id>/ is the customer's: the partner is judged as without it,
// even where it has users and policies. A folder of another name is the partner's own.
func TestCustomersAreNotThePartner(t *testing.T) {
	t.Parallel()
	dir := sampleIn(t)
	want := verdicts(judged(t, app.Reading{At: sample.AsOf}))
	bob := `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users","value":[{"id":"0a1b2c3d-0000-4000-8000-000000000001",` +
		`"userPrincipalName":"bob@contoso.com","accountEnabled":true,"userType":"Member"}]}`
	write := func(folder string) {
		to := filepath.Join(dir, "customers", folder)
		if err := os.MkdirAll(to, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, "users.json"), []byte(bob), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("4e89e2a0-fad3-4c7b-8ed0-18a56d2245a5")
	if got := verdicts(judged(t, app.Reading{At: sample.AsOf, From: []string{dir}})); !reflect.DeepEqual(got, want) {
		t.Errorf("with customers' lists beside:\n got %v\nwant %v", got, want)
	}
	write("notes")
	if got := verdicts(judged(t, app.Reading{At: sample.AsOf, From: []string{dir}})); reflect.DeepEqual(got, want) {
		t.Error("a folder that is no tenant's was not read")
	}
}

// The sample's customers are recommended for as the same files in a folder are, and no role goes
// that an act needed.
func TestSampleRecommendation(t *testing.T) {
	t.Parallel()
	q := app.RecommendQuestion{AsOf: sample.AsOf}
	want, err := app.DelegationRecommend(t.Context(), app.Reading{}, q)
	if err != nil {
		t.Fatal(err)
	}
	got, err := app.DelegationRecommend(t.Context(), app.Reading{From: []string{sampleIn(t)}}, q)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(short(got), short(want)) {
		t.Errorf("\n got %+v\nwant %+v", short(got), short(want))
	}
	if s := want.Summary; s.Judged < 8 || s.NoEvidence < 15 || s.Refused != 0 || s.Acts == 0 {
		t.Errorf("%+v", s)
	}
}

// short is what was recommended, a line an assignment.
func short(r *recommend.Result) (out [][]string) {
	for i := range r.Items {
		it := &r.Items[i]
		out = append(out, append([]string{it.Customer, it.Group}, it.Recommended...))
	}
	return out
}
