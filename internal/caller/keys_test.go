package caller

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"partnerguard/internal/secret"
)

// TestKeySetStorm: 200 callers who hang up at once make one reading, which
// outlives them, and 200 after them none.
func TestKeySetStorm(t *testing.T) {
	t.Parallel()
	var fetched atomic.Int64
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		<-release
		_, _ = w.Write([]byte(`{"keys":[]}`))
	}))
	defer s.Close()
	k := &keyring{http: s.Client()}
	is := &Issuer{Name: "x", Issuer: "https://issuer.example", Keys: s.URL, Audience: "us"}
	raw := secret.New("e30.e30.e30")
	var wg sync.WaitGroup
	for range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() {
			if _, err := k.verify(ctx, raw, is, time.Now); err == nil {
				t.Error("a token without a key was taken")
			}
		})
		cancel()
	}
	wg.Wait()
	close(release)
	for range 200 {
		_, _ = k.verify(t.Context(), raw, is, time.Now)
	}
	if n := fetched.Load(); n != 1 {
		t.Errorf("%d readings", n)
	}
}

// TestKeySetFile: what is not a file, such as a pipe, is not opened.
func TestKeySetFile(t *testing.T) {
	t.Parallel()
	k := &keyring{}
	dir := t.TempDir()
	if _, err := k.fetch(t.Context(), &Issuer{Keys: dir}); err == nil || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a folder: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "keys"), []byte(`{"keys":[]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := k.fetch(t.Context(), &Issuer{Keys: filepath.Join(dir, "keys")}); err == nil {
		t.Error("an empty set")
	}
}
