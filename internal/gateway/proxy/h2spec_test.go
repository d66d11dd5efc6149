package proxy

import (
	"encoding/xml"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// leniencies are the cases of h2spec 2.2.1 that the library's server answers otherwise
// than the suite wants, and why that is well.
var leniencies = map[string]string{
	"http2/3.5: Sends invalid connection preface": "HTTP/1.1 is spoken there too, and says 400 before it closes",
	"http2/4.2: Sends a large size HEADERS frame that exceeds the SETTINGS_MAX_FRAME_SIZE": "the server announces a larger one, at which the suite " +
		"does not look",
	"http2/6.5.3: Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE": "a setting that is there twice ends the connection: stricter than it must be",
	"http2/8.1.2.2: Sends a HEADERS frame that contains the connection-specific header field": "it is refused by a 400 (RFC 9113 section 8.1.1 " +
		"allows an answer)",
	"http2/8.1.2.2: Sends a HEADERS frame that contains the TE header field with any value other than \"trailers\"": "it is refused by a 400 too",
}

// TestH2Spec runs a public suite of HTTP/2 against the proxy where H2SPEC names its
// program (make h2spec). It fails with any case but those whose reason is written down,
// and with one of those that is mended.
func TestH2Spec(t *testing.T) {
	program := os.Getenv("H2SPEC")
	if program == "" {
		t.Skip("H2SPEC names no program")
	}
	g := newRig(t, nil)
	host, port, _ := net.SplitHostPort(g.plain)
	report := filepath.Join(t.TempDir(), "report.xml")
	out, _ := exec.CommandContext(t.Context(), program, "-h", host, "-p", port, "-P", "/x", "-j", report, "-o", "3").CombinedOutput()
	raw, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var all struct {
		Suites []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Package string    `xml:"package,attr"`
				Name    string    `xml:"classname,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
				Skipped *struct{} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	passed, seen := 0, map[string]bool{}
	for _, s := range all.Suites {
		for _, c := range s.Cases {
			name := c.Package + ": " + c.Name
			failed := c.Failure != nil || c.Error != nil
			switch why, known := leniencies[name]; {
			case failed && known:
				seen[name] = true
				t.Logf("%s: %s", name, why)
			case failed:
				t.Errorf("%s", name)
			default:
				passed++
			}
		}
	}
	for name := range leniencies {
		if !seen[name] {
			t.Errorf("%s passes now", name)
		}
	}
	if passed < 130 {
		t.Errorf("only %d cases pass", passed)
	}
	t.Logf("%d cases pass", passed)
}
