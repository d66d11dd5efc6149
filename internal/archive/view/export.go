package view

import (
	"context"
	"errors"
	"io"
	"os"
	"path"
	"path/filepath"

	"partnerguard/internal/problem"
)

// Export writes the files into a folder, which must be empty or not there: it is
// made for its owner alone. progress, when set, is told how many bytes were written
// of about how many. After an error what was written is removed again.
func (v *View) Export(ctx context.Context, dir string, progress func(done, total int64)) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return problem.Wrap(err, problem.Unavailable, "the folder %s cannot be made", dir).WithHint("name another one")
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) > 0 {
		return problem.Wrap(err, problem.Conflict, "the folder %s is not empty", dir).WithHint("name a new one: what lies there would be read with it")
	}
	at, err := os.OpenRoot(dir)
	if err != nil {
		return problem.Wrap(err, problem.Unavailable, "the folder %s cannot be opened", dir)
	}
	defer at.Close()
	var done, total int64
	for i := range v.files {
		total += v.files[i].bytes
	}
	var made []string
	defer func() {
		if err != nil {
			for _, name := range made {
				_ = at.Remove(name)
			}
			for _, name := range made {
				_ = at.Remove(filepath.Dir(name)) // where nothing else is in it
			}
		}
	}()
	for i := range v.files {
		f := &v.files[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		made = append(made, filepath.FromSlash(f.name))
		if err := v.export(ctx, at, f); err != nil {
			return err
		}
		if done += f.bytes; progress != nil {
			progress(done, total)
		}
	}
	return nil
}

func (v *View) export(ctx context.Context, at *os.Root, f *file) error {
	name := filepath.FromSlash(f.name)
	if dir := path.Dir(f.name); dir != "." {
		if err := at.Mkdir(filepath.FromSlash(dir), 0o700); err != nil && !errors.Is(err, os.ErrExist) {
			return problem.Wrap(err, problem.Unavailable, "the folder %s cannot be made", dir)
		}
	}
	out, err := at.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return problem.Wrap(err, problem.Unavailable, "%s cannot be made", f.name)
	}
	in := newStream(ctx, f)
	defer in.Close()
	_, err = io.Copy(struct{ io.Writer }{out}, in)
	if cerr := out.Close(); err == nil && cerr != nil {
		err = cerr
	}
	if err != nil {
		if _, ours := errors.AsType[*problem.Error](err); !ours {
			err = problem.Wrap(err, problem.Unavailable, "%s cannot be written whole", f.name).WithHint("is there room?")
		}
		return err
	}
	return at.Chtimes(name, f.at, f.at)
}
