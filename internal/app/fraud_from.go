//go:build !judge

package app

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"partnerguard/internal/fraud"
	"partnerguard/internal/problem"
)

// The bounds of files of alerts.
const (
	maxFraudFile  = 64 << 20
	maxFraudFiles = 10_000
)

// FraudAlerts reads alerts of either interface out of files and folders, joined; lost counts
// what is no alert among them. Kind problem.NotFound where there is none.
func FraudAlerts(ctx context.Context, from []string) (list []fraud.Alert, lost int, err error) {
	var all []fraud.Alert
	files, found := 0, false
	for _, root := range from {
		err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return problem.Wrap(err, problem.NotFound, "%.300q cannot be read%s", path, problem.Reason(err))
			case ctx.Err() != nil:
				return ctx.Err()
			case e.IsDir() || !fraudFile(path):
				return nil
			}
			if files++; files > maxFraudFiles {
				return problem.New(problem.Limit, "there are more than %d files", maxFraudFiles)
			}
			raw, err := readFraud(path)
			if err != nil || !speaksOfFraud(raw) {
				return err
			}
			got, n, err := fraud.ReadList(raw)
			if err != nil {
				return problem.Wrap(err, problem.BadInput, "%.300q: %s", path, err.Error())
			}
			found = true
			all, lost = append(all, got...), lost+n
			return nil
		})
		if err != nil {
			return nil, 0, err
		}
	}
	if !found {
		return nil, 0, problem.New(problem.NotFound, "no file there holds alerts").WithHint("export /beta/security/partner/securityAlerts, or /v1/fraudEvents")
	}
	return fraud.Join(all), lost, nil
}

func fraudFile(path string) bool {
	name := strings.TrimSuffix(strings.ToLower(path), ".gz")
	return strings.HasSuffix(name, ".json") || strings.HasSuffix(name, ".jsonl")
}

func readFraud(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.NotFound, "%.300q cannot be read%s", path, problem.Reason(err))
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(strings.ToLower(path), ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, problem.Wrap(err, problem.BadInput, "%.300q is no gzip", path)
		}
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxFraudFile+1))
	if err == nil && len(raw) > maxFraudFile {
		err = problem.New(problem.Limit, "%.300q is longer than %d MiB", path, maxFraudFile>>20)
	}
	return raw, err
}

// speaksOfFraud says whether a file is one of alerts, by what only these have.
func speaksOfFraud(raw []byte) bool {
	lower := bytes.ToLower(raw[:min(len(raw), 1<<20)])
	for _, word := range []string{`"alerttype"`, `"eventstatus"`, "securityalerts"} {
		if bytes.Contains(lower, []byte(word)) {
			return true
		}
	}
	return false
}
