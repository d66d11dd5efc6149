package paper

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const hello = "<!DOCTYPE html>\n<html lang=\"en\"><head><title>t</title></head><body><p>Hello</p></body></html>"

func TestPrint(t *testing.T) {
	browser, err := Browser("")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED, NOTHING WAS PRINTED: ", err)
	}
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	var out bytes.Buffer
	if err := Print(t.Context(), &out, browser, []byte(hello)); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out.Bytes(), []byte("%PDF-")) || !bytes.Contains(out.Bytes(), []byte("%%EOF")) {
		t.Errorf("%d bytes, and no whole PDF", out.Len())
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("%v stayed behind", left)
	}
}

// TestBrowsersThatFail: what goes wrong is said, and nothing is written or left.
func TestBrowsersThatFail(t *testing.T) {
	temp := t.TempDir()
	fake := func(script string) string {
		p := filepath.Join(t.TempDir(), "browser")
		if err := os.WriteFile(p, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil { //nolint:gosec // it has to be run
			t.Fatal(err)
		}
		return p
	}
	t.Setenv("TMPDIR", temp)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		script string
		want   string
	}{
		"it says why":   {t.Context(), "echo first >&2; echo no display >&2; exit 3", "no display"},
		"it says none":  {t.Context(), "exit 3", "exit status 3"},
		"no file":       {t.Context(), "exit 0", "wrote no PDF"},
		"another file":  {t.Context(), `for a; do case "$a" in --print-to-pdf=*) echo hello > "${a#*=}";; esac; done`, "wrote no PDF"},
		"nobody waits":  {gone, "sleep 60", "canceled"},
		"cannot be run": {t.Context(), "", ""},
	} {
		var out bytes.Buffer
		browser := fake(c.script)
		if name == "cannot be run" {
			browser, c.want = filepath.Join(temp, "none"), "no such file"
		}
		err := Print(c.ctx, &out, browser, []byte(hello))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if out.Len() > 0 {
			t.Errorf("%s: something was written", name)
		}
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("%v stayed behind", left)
	}
}

func TestNoBrowser(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Browser(""); err == nil || !strings.Contains(err.Error(), "Chromium") {
		t.Errorf("%v", err)
	}
	if _, err := Browser("nowhere"); err == nil || !strings.Contains(err.Error(), `"nowhere"`) {
		t.Errorf("%v", err)
	}
}
