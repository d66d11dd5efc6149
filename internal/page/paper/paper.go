package paper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"partnerguard/internal/problem"
)

// wait is how long a browser may take.
const wait = 2 * time.Minute

// browsers are the names under which a Chromium is found, the freest first.
var browsers = []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge-stable", "microsoft-edge", "msedge"}

// places are where it is installed without being on the path.
var places = map[string][]string{
	"darwin": {"/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
		"/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"},
	"windows": {`Chromium\Application\chrome.exe`, `Google\Chrome\Application\chrome.exe`, `Microsoft\Edge\Application\msedge.exe`},
}

// Browser finds a browser. named is what the user asked for, or "".
func Browser(named string) (string, error) {
	if named != "" {
		p, err := exec.LookPath(named)
		if err != nil {
			return "", problem.Wrap(err, problem.Usage, "the browser %q cannot be run: %s", named, problem.Reason(err))
		}
		return p, nil
	}
	for _, name := range browsers {
		if p, err := exec.LookPath(name); err == nil {
			return p, nil
		}
	}
	for _, p := range places[runtime.GOOS] {
		roots := []string{""}
		if runtime.GOOS == "windows" {
			roots = []string{os.Getenv("ProgramFiles"), os.Getenv("ProgramFiles(x86)"), os.Getenv("LocalAppData")}
		}
		for _, root := range roots {
			if at := filepath.Join(root, p); isFile(at) {
				return at, nil
			}
		}
	}
	return "", problem.New(problem.Usage, "no browser to print with was found: a PDF needs Chromium, Chrome or Edge").
		WithHint("install one (Debian: apt install chromium), name it in PARTNERGUARD_BROWSER, or use --output html and print that")
}

func isFile(p string) bool {
	s, err := os.Stat(p)
	return err == nil && s.Mode().IsRegular()
}

// Print writes a page as PDF. It needs a folder for temporary files, in which
// nothing stays.
func Print(ctx context.Context, w io.Writer, browser string, page []byte) error {
	dir, err := os.MkdirTemp("", "partnerguard-pdf-")
	if err != nil {
		return problem.Wrap(err, problem.Internal, "no temporary folder can be made: %s", problem.Reason(err))
	}
	defer func() { _ = os.RemoveAll(dir) }() // a profile and copies of what is written
	from, to := filepath.Join(dir, "page.html"), filepath.Join(dir, "page.pdf")
	if err := os.WriteFile(from, page, 0o600); err != nil {
		return problem.Wrap(err, problem.Internal, "the page cannot be written for the browser: %s", problem.Reason(err))
	}
	if err := run(ctx, browser, dir, from, to); err != nil {
		return err
	}
	pdf, err := os.ReadFile(to)
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		return problem.New(problem.Internal, "%s ended well and wrote no PDF", browser).
			WithHint("some packaged browsers cannot see temporary folders: name another in PARTNERGUARD_BROWSER, or use --output html and print that")
	}
	_, err = w.Write(pdf)
	return err
}

// run starts the browser and waits for its end.
func run(ctx context.Context, browser, dir, from, to string) error {
	limited, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	args := []string{"--headless=new", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking",
		"--user-data-dir=" + filepath.Join(dir, "profile"), "--no-pdf-header-footer", "--print-to-pdf=" + to}
	if os.Geteuid() == 0 {
		args = append(args, "--no-sandbox") // a Chromium refuses to sandbox for root; the page is ours and runs nothing
	}
	address := url.URL{Scheme: "file", Path: filepath.ToSlash(from)}
	if runtime.GOOS == "windows" {
		address.Path = "/" + address.Path
	}
	cmd := exec.CommandContext(limited, browser, append(args, address.String())...)
	cmd.Env = append(os.Environ(), "HOME="+dir) // what it keeps there goes with the folder
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.WaitDelay = 5 * time.Second // children of it may hold the pipe
	err := cmd.Run()
	switch {
	case err == nil || errors.Is(err, exec.ErrWaitDelay):
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case limited.Err() != nil:
		return problem.New(problem.Internal, "%s did not print the page within %s", browser, wait)
	}
	return problem.Wrap(err, problem.Internal, "%s did not print the page: %s", browser, last(said.String(), err))
}

// last is the last line that a program said, or how it ended.
func last(said string, err error) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if s := strings.TrimSpace(lines[len(lines)-1]); s != "" {
		return fmt.Sprintf("%.200s (%v)", s, err)
	}
	return err.Error()
}
