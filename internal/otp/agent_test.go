//go:build unix

package otp_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"partnerguard/internal/otp"
	"partnerguard/internal/problem"
)

// agent serves a store's agent, and gives its socket and what ends with it.
func agent(t *testing.T, s *otp.Store, life time.Duration) (string, chan error) {
	t.Helper()
	a, err := otp.NewAgent(t.Context(), s, life)
	if err != nil {
		t.Fatal(err)
	}
	var pipe bytes.Buffer
	if err := a.Hand(&pipe); err != nil {
		t.Fatal(err)
	}
	if a, err = otp.TakeAgent(&pipe); err != nil {
		t.Fatal(err)
	}
	a.Now = func() time.Time { return now }
	dir, err := os.MkdirTemp("", "otp") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "partnerguard", "otp.sock")
	l, err := otp.ListenAgent(socket)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(t.Context(), l) }()
	return socket, ended
}

func TestAgent(t *testing.T) {
	t.Parallel()
	s := store(t)
	e := add(t, s, entry("Contoso", "ada"))
	socket, ended := agent(t, s, time.Minute)
	for path, mode := range map[string]os.FileMode{socket: 0o600, filepath.Dir(socket): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	add(t, s, entry("Fabrikam", "ada")) // while it is open
	got, err := otp.AskAgent(t.Context(), socket, s.Path(), "contoso")
	if err != nil || len(got.Codes) != 1 || got.Ends.IsZero() {
		t.Fatalf("%+v, %v", got, err)
	}
	if want, err := new(otp.Book).Code(e, now); err != nil || !got.Codes[0].Code.Equal(want.Code) || !got.Codes[0].Next.Equal(want.Next) {
		t.Errorf("%v, %v", got.Codes[0], err)
	}
	if all, err := otp.AskAgent(t.Context(), socket, s.Path(), ""); err != nil || len(all.Codes) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := otp.AskAgent(t.Context(), socket, s.Path(), "nobody"); !errors.Is(err, problem.NotFound) {
		t.Error(err)
	}
	if _, err := otp.AskAgent(t.Context(), socket, s.Path()+"x", ""); !errors.Is(err, problem.Unavailable) {
		t.Error(err)
	}
	if _, err := otp.ListenAgent(socket); !errors.Is(err, problem.Conflict) {
		t.Errorf("a second agent: %v", err)
	}
	if there, err := otp.Lock(t.Context(), socket); !there || err != nil {
		t.Error(there, err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		t.Fatal("it goes on after it was locked")
	}
	if _, err := otp.AskAgent(t.Context(), socket, s.Path(), ""); !errors.Is(err, problem.Unavailable) {
		t.Errorf("after the end: %v", err)
	}
	if there, err := otp.Lock(t.Context(), socket); there || err != nil {
		t.Error(there, err)
	}
}

// TestAgentForgets after its time, and knows nothing of a file that was sealed anew.
func TestAgentForgets(t *testing.T) {
	t.Parallel()
	s := store(t)
	add(t, s, entry("Contoso", "ada"))
	_, ended := agent(t, s, time.Second)
	select {
	case <-ended:
	case <-time.After(time.Minute):
		t.Fatal("it goes on after its time")
	}
	socket, _ := agent(t, s, time.Minute)
	other := store(t)
	add(t, other, entry("Contoso", "ada"))
	text, err := os.ReadFile(other.Path())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.Path(), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := otp.AskAgent(t.Context(), socket, s.Path(), ""); !errors.Is(err, problem.Unauthenticated) {
		t.Error(err)
	}
	for _, life := range []time.Duration{0, -time.Second, otp.MaxLife + 1} {
		if _, err := otp.NewAgent(t.Context(), s, life); !errors.Is(err, problem.Usage) {
			t.Errorf("%s: %v", life, err)
		}
	}
}

// TestHostileAgentRequests get a refusal, no code, and no end of the agent.
func TestHostileAgentRequests(t *testing.T) {
	t.Parallel()
	s := store(t)
	add(t, s, entry("Contoso", "ada"))
	socket, _ := agent(t, s, time.Minute)
	for _, line := range []string{
		"\n", "x\n", "{}\n", `{"do":"key"}` + "\n", `{"do":"codes"}` + "\n", `{"do":"codes","path":"` + s.Path() + `","key":true}` + "\n",
		`{"do":"codes","path":"/etc/passwd"}` + "\n", `["codes"]` + "\n", strings.Repeat("a", 8<<10) + "\n", "\x00\n",
	} {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write([]byte(line))
		buf := make([]byte, 4<<10)
		n, _ := c.Read(buf)
		c.Close()
		if got := string(buf[:n]); strings.Contains(got, `"code"`) || !strings.Contains(got, `"error"`) && n > 0 {
			t.Errorf("%.60q: %s", line, got)
		}
	}
	if _, err := otp.AskAgent(t.Context(), socket, s.Path(), ""); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"", "{}", `{"path":"x","life":1000000000,"key":"AA=="}`, strings.Repeat("x", 20<<10)} {
		if _, err := otp.TakeAgent(strings.NewReader(text)); !errors.Is(err, problem.Usage) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}
