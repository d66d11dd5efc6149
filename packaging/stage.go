package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// stage is a folder with all that is handed out, each file of one moment.
type stage struct {
	dir    string
	moment time.Time
}

// docs go into every archive and the package.
var docs = []string{"README.md", "CHANGELOG.md", "SECURITY.md", "docs/install.md", "docs/upgrade.md", "docs/serve.md", "docs/backup.md",
	"docs/vault.md", "docs/sam.md", "docs/broker.md", "docs/trail.md", "docs/security.md"}

// fill fills the stage; program is one that runs here, which prints its own manual
// and completions.
func (s *stage) fill(ctx context.Context, root, program string) error {
	for _, dir := range []string{"man", "man8", "completions", "doc", "packaging"} {
		if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o755); err != nil { //nolint:gosec // what is handed out
			return err
		}
	}
	if err := run1(ctx, "", program, "man", "--dir", filepath.Join(s.dir, "man")); err != nil {
		return err
	}
	shells := map[string]string{"partnerguard.bash": "bash", "_partnerguard": "zsh", "partnerguard.fish": "fish", "partnerguard.ps1": "powershell"}
	for name, shell := range shells {
		if err := run1(ctx, filepath.Join(s.dir, "completions", name), program, "completion", shell); err != nil {
			return err
		}
	}
	for _, name := range docs {
		if err := copyFile(filepath.Join(root, name), filepath.Join(s.dir, "doc", filepath.Base(name))); err != nil {
			return err
		}
	}
	if err := copyFile(filepath.Join(root, "packaging", "partnerguard-admin.8"), filepath.Join(s.dir, "man8", "partnerguard-admin.8")); err != nil {
		return err
	}
	for _, name := range []string{"nfpm.yaml", "partnerguard.yaml", "partnerguard-admin", "systemd", "scripts"} {
		from := filepath.Join(root, "packaging", name)
		if info, err := os.Stat(from); err != nil {
			return err
		} else if info.IsDir() {
			err = os.CopyFS(filepath.Join(s.dir, "packaging", name), os.DirFS(from))
			if err != nil {
				return err
			}
		} else if err := copyFile(from, filepath.Join(s.dir, "packaging", name)); err != nil {
			return err
		}
	}
	if err := s.compressManuals(); err != nil {
		return err
	}
	return filepath.WalkDir(s.dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chtimes(path, s.moment, s.moment)
	})
}

// compressManuals does what Debian asks of manuals, without a time in the bytes.
func (s *stage) compressManuals() error {
	for _, pattern := range []string{"man/*.1", "man8/*.8"} {
		pages, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			return err
		}
		if len(pages) == 0 {
			return fmt.Errorf("there is no manual %s", pattern)
		}
		for _, page := range pages {
			text, err := os.ReadFile(page)
			if err != nil {
				return err
			}
			f, err := os.Create(page + ".gz")
			if err != nil {
				return err
			}
			z, _ := gzip.NewWriterLevel(f, gzip.BestCompression) // the level is one
			if _, err := z.Write(text); err != nil {
				return err
			}
			if err := z.Close(); err != nil {
				return err
			}
			if err := f.Close(); err != nil {
				return err
			}
			if err := os.Remove(page); err != nil {
				return err
			}
		}
	}
	return nil
}

// archive writes the stage, without what is of the package alone, as to.tar.gz, or as
// to.zip for Windows; everything in it stands in the folder name.
func (s *stage) archive(to, name string, p platform) error {
	var files []string
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(s.dir, path)
		if err == nil && d.IsDir() && (rel == "packaging" || rel == "man8") {
			return filepath.SkipDir
		}
		if err == nil && !d.IsDir() {
			files = append(files, rel)
		}
		return err
	})
	if err != nil {
		return err
	}
	slices.Sort(files)
	if p.os == "windows" {
		return write(to+".zip", func(w io.Writer) error { return s.zip(w, name, files) })
	}
	return write(to+".tar.gz", func(w io.Writer) error { return s.tar(w, name, files) })
}

func (s *stage) tar(w io.Writer, name string, files []string) error {
	z, _ := gzip.NewWriterLevel(w, gzip.BestCompression)
	t := tar.NewWriter(z)
	for _, rel := range files {
		b, err := os.ReadFile(filepath.Join(s.dir, rel))
		if err != nil {
			return err
		}
		h := &tar.Header{Name: name + "/" + filepath.ToSlash(rel), Mode: mode(rel), Size: int64(len(b)), ModTime: s.moment, Format: tar.FormatPAX}
		if err := t.WriteHeader(h); err != nil {
			return err
		}
		if _, err := t.Write(b); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

func (s *stage) zip(w io.Writer, name string, files []string) error {
	z := zip.NewWriter(w)
	for _, rel := range files {
		b, err := os.ReadFile(filepath.Join(s.dir, rel))
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: name + "/" + filepath.ToSlash(rel), Method: zip.Deflate, Modified: s.moment}
		h.SetMode(fs.FileMode(mode(rel)))
		f, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := f.Write(b); err != nil {
			return err
		}
	}
	return z.Close()
}

// mode is a file's in an archive, whatever the builder's umask was.
func mode(rel string) int64 {
	if strings.HasPrefix(rel, "partnerguard") {
		return 0o755
	}
	return 0o644
}

func write(path string, fill func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := fill(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o644) //nolint:gosec // what is handed out
}

// run1 runs a program of ours and puts what it prints into a file. The environment is
// empty, so that nothing of the builder's is in what it prints.
func run1(ctx context.Context, to, program string, args ...string) error {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Stderr = []string{"HOME=/nonexistent", "LC_ALL=C.UTF-8"}, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("partnerguard %s: %w", strings.Join(args, " "), err)
	}
	if to == "" {
		return nil
	}
	return os.WriteFile(to, out, 0o644) //nolint:gosec // what is handed out
}
