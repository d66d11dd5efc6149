//go:build !judge

package eyes

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"partnerguard/internal/fraud/detect"
	"partnerguard/internal/problem"
)

// Config is what our own eyes go by.
type Config struct {
	// Deployments is a file of work that is planned: what it covers is no finding.
	Deployments string `yaml:"fraudDeployments" file:"yaml yml" about:"a file of planned deployments in Azure: what they cover is not taken for fraud"`
}

// Check refuses a name that no file can have; what is in the file is read when it is needed.
func (c *Config) Check(bad func(name, format string, args ...any) *problem.Error) error {
	if strings.ContainsAny(c.Deployments, "\x00\n") {
		return bad("fraudDeployments", "a name has no line breaks")
	}
	return nil
}

// maxDeployments bounds the file of deployments.
const maxDeployments = 4 << 20

// Windows reads the file of deployments, which people change while the program runs; nil where
// none is named. Kind problem.NotFound where it is not there, problem.BadInput where it cannot
// be read: then nothing is suppressed by it.
func (c *Config) Windows() ([]detect.Window, error) {
	if c == nil || c.Deployments == "" {
		return nil, nil
	}
	f, err := os.Open(c.Deployments)
	if err != nil {
		kind := problem.Unavailable
		if errors.Is(err, fs.ErrNotExist) {
			kind = problem.NotFound
		}
		return nil, problem.Wrap(err, kind, "the deployments of fraudDeployments cannot be read")
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxDeployments+1))
	switch {
	case err != nil:
		return nil, problem.Wrap(err, problem.Unavailable, "the deployments of fraudDeployments cannot be read")
	case len(raw) > maxDeployments:
		return nil, problem.New(problem.Limit, "the file of fraudDeployments is larger than 4 MiB")
	}
	return detect.ReadDeployments(c.Deployments, raw)
}
