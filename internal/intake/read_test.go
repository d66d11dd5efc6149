package intake

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"partnerguard/internal/evidence"
	"partnerguard/internal/problem"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// account writes inputs as "name status" with the folder cut off.
func account(dir string, ins []evidence.Input) string {
	var b strings.Builder
	for _, in := range ins {
		b.WriteString(strings.TrimPrefix(filepath.ToSlash(in.Path), filepath.ToSlash(dir)+"/") + " " + string(in.Status) + "\n")
	}
	return b.String()
}

func TestWalk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "b.json"), user(1))
	write(t, filepath.Join(dir, "a.dat"), user(2))
	write(t, filepath.Join(dir, "sub", "c.txt"), user(3))
	write(t, filepath.Join(dir, "sub", "empty"), "")
	write(t, filepath.Join(dir, "sub", "old.zip"), "PK\x03\x04")
	write(t, filepath.Join(dir, ".git", "HEAD"), "ref: x")
	for old, link := range map[string]string{"sub": "zlink", "b.json": "zfile", ".": filepath.Join("sub", "up"), "gone": "dangling"} {
		if err := os.Symlink(filepath.Join(dir, old), filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	s := &strictSink{t: t}
	var steps []int64
	o := Options{Progress: func(done, total int64) {
		if done > total {
			t.Errorf("progress %d of %d", done, total)
		}
		steps = append(steps, done)
	}}
	ins, err := Read(context.Background(), o, []string{dir, filepath.Join(dir, "b.json")}, s)
	if err != nil {
		t.Fatal(err)
	}
	want := `.git not_recognised
a.dat read
b.json read
dangling unreadable
sub/c.txt read
sub/empty not_recognised
sub/old.zip unreadable
sub/up not_recognised
zfile not_recognised
zlink not_recognised
b.json not_recognised
`
	if got := account(dir, ins); got != want {
		t.Errorf("got:\n%swant:\n%s", got, want)
	}
	if len(s.recs) != 3 || len(steps) == 0 {
		t.Errorf("%d records, %d progress calls", len(s.recs), len(steps))
	}
	for _, in := range ins {
		checkInput(t, in)
		if in.Status == evidence.Read && in.Bytes != int64(len(user(1))) {
			t.Errorf("%s: %d bytes", in.Path, in.Bytes)
		}
	}
}

// TestLinkLoop: links that lead to each other end.
func TestLinkLoop(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for a, b := range map[string]string{"x": "y", "y": "x"} {
		if err := os.Symlink(filepath.Join(dir, a), filepath.Join(dir, b)); err != nil {
			t.Fatal(err)
		}
	}
	ins, err := Read(context.Background(), Options{}, []string{dir}, &strictSink{t: t})
	if err != nil || account(dir, ins) != "x unreadable\ny unreadable\n" {
		t.Errorf("%v %s", err, account(dir, ins))
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a"), user(1))
	write(t, filepath.Join(dir, "b"), user(2))
	write(t, filepath.Join(dir, "c", "d"), user(3))
	for name, mode := range map[string]os.FileMode{"a": 0, "c": 0} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	ins, err := Read(context.Background(), Options{}, []string{dir}, &strictSink{t: t})
	want := "a unreadable\nb read\nc unreadable\n"
	if os.Geteuid() == 0 { // root may read everything; TestRefused has a refusal for it
		want = "a read\nb read\n" + filepath.Join("c", "d") + " read\n"
	}
	if err != nil || account(dir, ins) != want {
		t.Errorf("%v:\n%s", err, account(dir, ins))
	}
}

// refusing is a file system that opens nothing named "secret".
type refusing struct{ fstest.MapFS }

func (r refusing) Open(name string) (fs.File, error) {
	if filepath.Base(name) == "secret" {
		return nil, &fs.PathError{Op: "open", Path: "/machine/" + name, Err: fs.ErrPermission}
	}
	return r.MapFS.Open(name)
}

// TestRefused: a file that may not be opened is noted, the rest is read.
func TestRefused(t *testing.T) {
	t.Parallel()
	fsys := refusing{fstest.MapFS{"a": {Data: []byte(user(1))}, "secret": {}, "z": {Data: []byte(user(2))}}}
	ins, err := ReadFS(context.Background(), Options{}, fsys, "sample:", &strictSink{t: t})
	want := "sample:a read\nsample:secret unreadable\nsample:z read\n"
	if err != nil || account("", ins) != want || !strings.Contains(ins[1].Notes[0].Message, "permission denied") {
		t.Errorf("%v:\n%s%v", err, account("", ins), ins[1].Notes)
	}
}

func TestBadPaths(t *testing.T) {
	t.Parallel()
	_, err := Read(context.Background(), Options{}, []string{filepath.Join(t.TempDir(), "nowhere")}, &strictSink{t: t})
	if !errors.Is(err, problem.NotFound) || problem.HintOf(err) == "" {
		t.Errorf("a missing path: %v", err)
	}
	if _, err := Read(context.Background(), Options{}, []string{"-"}, &strictSink{t: t}); !errors.Is(err, problem.Usage) {
		t.Errorf("no standard input: %v", err)
	}
	dir := t.TempDir()
	ins, err := Read(context.Background(), Options{}, []string{dir}, &strictSink{t: t})
	if err != nil || len(ins) != 1 || ins[0].Status != evidence.NotRecognised {
		t.Errorf("an empty folder: %v %+v", err, ins)
	}
}

func TestReadFS(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{
		"b/users.json": {Data: []byte(user(1))},
		"a.json":       {Data: gz([]byte(user(2)))},
	}
	s := &strictSink{t: t}
	ins, err := ReadFS(context.Background(), Options{}, fsys, "sample:", s)
	if err != nil || len(ins) != 2 || ins[0].Path != "sample:a.json" || ins[1].Path != "sample:b/users.json" {
		t.Fatalf("%v %+v", err, ins)
	}
	if len(s.recs) != 2 || s.recs[0].Src != "sample:a.json:1" {
		t.Errorf("records %+v", s.recs)
	}
}

// TestHash: what is said of a file is the hash of the file, whatever became of
// its content and however it was read.
func TestHash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var archive bytes.Buffer
	zw := zip.NewWriter(&archive)
	for _, name := range []string{"a.json", "b.json"} {
		w, err := zw.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte(`{"id":"x","userPrincipalName":"x@contoso.example"}`))
	}
	_ = zw.Close()
	files := map[string][]byte{"users.json": []byte(`[{"id":"x","userPrincipalName":"x@contoso.example"}]` + "\n\n"), "picture.png": append([]byte("\x89PNG\r\n\x1a\n"),
		bytes.Repeat([]byte{7}, 1<<20)...), "empty.json": nil, "all.zip": archive.Bytes()}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []bool{true, false} {
		inputs, err := Read(t.Context(), Options{Hash: want}, []string{dir}, &strictSink{t: t})
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range inputs {
			name, _, _ := strings.Cut(filepath.Base(in.Path), "!")
			sum := sha256.Sum256(files[name])
			switch {
			case !want && in.SHA256 != "":
				t.Errorf("%s: a hash that nobody asked for", in.Path)
			case want && len(files[name]) > 0 && in.SHA256 != hex.EncodeToString(sum[:]):
				t.Errorf("%s: %q is not its hash", in.Path, in.SHA256)
			}
		}
	}
	stdin, err := Read(t.Context(), Options{Hash: true, Stdin: bytes.NewReader(files["users.json"])}, []string{"-"}, &strictSink{t: t})
	if sum := sha256.Sum256(files["users.json"]); err != nil || stdin[0].SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("standard input: %+v, %v", stdin, err)
	}
}
