package conformance

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

type person struct{ upn, password, totp string }

// someone finds a sample person by the local part of the name.
func someone(t *testing.T, local string) person {
	t.Helper()
	for _, p := range cloud.People {
		if strings.HasPrefix(p.UPN, local+"@") {
			return person{p.UPN, p.Password, p.TOTP}
		}
	}
	t.Fatalf("the cloud prints no sample person %s", local)
	return person{}
}

type app struct{ id, secret, redirect string }

// program finds a sample app by a word of its name.
func program(t *testing.T, word string) app {
	t.Helper()
	for _, a := range cloud.Apps {
		if strings.Contains(strings.ToLower(a.Name), word) {
			return app{a.ClientID, a.ClientSecret, a.Redirect}
		}
	}
	t.Fatalf("the cloud prints no sample app %s", word)
	return app{}
}

// customer finds a sample customer by name.
func customer(t *testing.T, name string) string {
	t.Helper()
	for _, c := range cloud.Customers {
		if strings.HasPrefix(c.Name, name) {
			return c.ID
		}
	}
	t.Fatalf("the cloud prints no customer %s", name)
	return ""
}

const step = 30 // seconds a TOTP is good for

// lastStep is each person's last used TOTP step: none is taken twice.
var lastStep = map[string]int64{}

// code makes a TOTP with oathtool, the reference implementation, at the cloud's
// clock, which it moves on when the step was used before.
func code(t *testing.T, p person) string {
	t.Helper()
	now := clock(t)
	if next := (lastStep[p.upn] + 1) * step; now.Unix() < next {
		cli(t, "clock", "+"+time.Duration((next-now.Unix())*int64(time.Second)).String())
		now = clock(t)
	}
	lastStep[p.upn] = now.Unix() / step
	c := exec.Command("oathtool", "--totp", "-b", "--now", now.UTC().Format("2006-01-02 15:04:05 UTC"), "-")
	c.Stdin = strings.NewReader(p.totp + "\n")
	out, err := c.Output()
	if err != nil {
		t.Errorf("oathtool: %v", err)
	}
	return string(bytes.TrimSpace(out))
}

// cli runs a command of partnerguard cloud against the running cloud.
func cli(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command(os.Getenv(binVar), append(append([]string{"cloud"}, args...), "--control", os.Getenv(controlVar))...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		t.Errorf("partnerguard cloud %s: %v\n%s", strings.Join(args, " "), err, errs.String())
		return ""
	}
	return string(out)
}

// clock reads the cloud's clock.
func clock(t *testing.T) time.Time {
	t.Helper()
	var c struct{ Now time.Time }
	if text := cli(t, "clock", "--output", "json"); json.Unmarshal([]byte(text), &c) != nil || c.Now.IsZero() {
		t.Errorf("no time in %s", text)
	}
	return c.Now
}

// logged reads a log of the cloud, oldest first.
func logged[T any](t *testing.T, which string, args ...string) (out []T) {
	t.Helper()
	for line := range strings.Lines(cli(t, append([]string{"log", which, "--output", "jsonl"}, args...)...)) {
		var v T
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("log of %s: %v", which, err)
		}
		out = append(out, v)
	}
	return out
}

// fault makes a service fail, and gives how often it did.
func fault(t *testing.T, args ...string) (hits func() int) {
	t.Helper()
	var made struct{ ID string }
	if text := cli(t, append([]string{"fault", "--output", "json"}, args...)...); json.Unmarshal([]byte(text), &made) != nil || made.ID == "" {
		t.Fatalf("no fault in %s", text)
	}
	t.Cleanup(func() { cli(t, "fault", "clear") })
	return func() int {
		var list struct {
			Faults []struct {
				ID   string
				Hits int
			}
		}
		if err := json.Unmarshal([]byte(cli(t, "fault", "list", "--output", "json")), &list); err != nil {
			t.Error(err)
		}
		for _, f := range list.Faults {
			if f.ID == made.ID {
				return f.Hits
			}
		}
		return 0
	}
}
