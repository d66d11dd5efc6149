package app

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"partnerguard/internal/fraud/detect"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
)

// AnomalyQuestion is what is asked of use and logs in files.
type AnomalyQuestion struct {
	From        []string // folders, or files of one
	AsOf        time.Time
	Deployments string  // a file; "" the deployments.yaml of a folder, where there is one
	Score       float64 // 0: the detector's own threshold
	Progress    func(done, total int64)
}

// deploymentFiles are looked for in a folder.
var deploymentFiles = []string{"deployments.yaml", "deployments.yml", "deployments.json"}

// Anomalies reads use and logs, and says which subscriptions look abused.
func Anomalies(ctx context.Context, q AnomalyQuestion) (*detect.Report, error) {
	o := detect.Options{Score: q.Score}
	if q.Deployments != "" {
		list, err := readDeployments(q.Deployments)
		if err != nil {
			return nil, err
		}
		o.Windows = list
	}
	for _, path := range q.From {
		for _, name := range deploymentFiles {
			file := filepath.Join(path, name)
			if _, err := os.Stat(file); q.Deployments != "" || err != nil {
				continue
			}
			list, err := readDeployments(file)
			if err != nil {
				return nil, err
			}
			o.Windows = append(o.Windows, list...)
		}
	}
	r := &detect.Reader{D: detect.New(o), Progress: q.Progress}
	for _, path := range q.From {
		if err := readAnomalies(ctx, r, path); err != nil {
			return nil, err
		}
	}
	if len(r.Read.Files) == 0 {
		return nil, problem.New(problem.BadInput, "nothing in %s is use or a log", print.Clean(q.From[0], print.MaxName)).
			WithHint("name the folder above usage/ and activity/: it has usage/*.jsonl, activity/*.jsonl, customers.json; each may end in .gz")
	}
	return detect.NewReport(r, q.AsOf), nil
}

// readAnomalies reads one folder, or one file of it.
func readAnomalies(ctx context.Context, r *detect.Reader, path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return problem.New(problem.NotFound, "%s is not there", print.Clean(path, print.MaxName)).WithHint("name a folder with usage/ and activity/")
	case err != nil:
		return problem.Wrap(err, problem.BadInput, "%s cannot be read%s", print.Clean(path, print.MaxName), problem.Reason(err))
	case !info.IsDir():
		return r.File(ctx, os.DirFS(filepath.Dir(path)), filepath.Base(path), filepath.Base(filepath.Dir(path)))
	}
	if err := r.FS(ctx, os.DirFS(path)); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return problem.Wrap(err, problem.BadInput, "%s cannot be read%s", print.Clean(path, print.MaxName), problem.Reason(err))
	}
	return nil
}

// readDeployments reads a file of declared deployments.
func readDeployments(path string) ([]detect.Window, error) {
	name := print.Clean(path, print.MaxName)
	f, err := os.Open(path)
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "%s cannot be read%s", name, problem.Reason(err))
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, 8<<20))
	if err != nil {
		return nil, problem.Wrap(err, problem.BadInput, "%s cannot be read%s", name, problem.Reason(err))
	}
	return detect.ReadDeployments(name, raw)
}
