package intake

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files of this package")

// sharedData is where data written by others lies, seen from this package.
const sharedData = "../../../shared/data"

func needData(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(sharedData); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("the shared data is missing at %s", sharedData)
		}
		t.Skipf("SKIPPED, NOT TESTED: the shared data is missing at %s", sharedData)
	}
	return sharedData
}

// TestListing holds what becomes of every shared file: status, shape, kinds
// and the first note. The golden was reviewed line by line.
func TestListing(t *testing.T) {
	t.Parallel()
	dir := needData(t)
	s := &strictSink{t: t, drop: true}
	ins, err := Read(context.Background(), Options{}, []string{dir}, s)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, in := range ins {
		checkInput(t, in)
		name, _ := filepath.Rel(dir, in.Path)
		fmt.Fprintf(&b, "%s\n\t%s", filepath.ToSlash(name), in.Status)
		for _, part := range []string{in.Format, in.Encoding, in.Compression} {
			if part != "" {
				fmt.Fprintf(&b, ", %s", part)
			}
		}
		if in.NextLink {
			b.WriteString(", next link")
		}
		for _, k := range slices.Sorted(maps.Keys(in.Kinds)) {
			fmt.Fprintf(&b, "\n\t%d %s", in.Kinds[k], k)
		}
		for _, n := range in.Notes {
			where := strings.TrimPrefix(n.Source.String(), in.Path)
			fmt.Fprintf(&b, "\n\t- %s", strings.TrimSpace(where+" "+n.Message))
		}
		if in.NoteCount > len(in.Notes) {
			fmt.Fprintf(&b, "\n\t- and %d notes more", in.NoteCount-len(in.Notes))
		}
		b.WriteString("\n")
	}
	golden := filepath.Join("testdata", "listing.golden")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatalf("%v (run with -update once)", err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(b.String(), "\n")); diff != "" {
		t.Errorf("listing differs (-want +got):\n%s", diff)
	}
}
