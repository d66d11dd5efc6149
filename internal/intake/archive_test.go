package intake

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"partnerguard/internal/evidence"
	"partnerguard/internal/intake/text"
)

// zipFile is an entry to pack.
type zipFile struct{ name, text string }

func zipped(t testing.TB, files ...zipFile) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		e, err := w.Create(f.name)
		if err == nil {
			_, err = io.WriteString(e, f.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// readArchive reads bytes as a file and from a pipe, which must agree, and
// returns "path status kinds: first note" of each input.
func readArchive(t testing.TB, o Options, b []byte) []string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "x.zip")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	tell := func(ins []evidence.Input, name string) (out []string) {
		for _, in := range ins {
			checkInput(t, in)
			line := fmt.Sprint(strings.Replace(in.Path, name, "x", 1), " ", in.Status, " ", counts(in))
			if len(in.Notes) > 0 {
				line += ": " + in.Notes[0].Message
			}
			out = append(out, line)
		}
		return out
	}
	s := &strictSink{t: t, drop: true}
	ins, err := Read(context.Background(), o, []string{path}, s)
	if err != nil {
		t.Fatal(err)
	}
	got := tell(ins, path)
	o.Stdin = bytes.NewReader(b)
	ins, err = Read(context.Background(), o, []string{"-"}, s)
	if err != nil {
		t.Fatal(err)
	}
	if piped := tell(ins, "-"); fmt.Sprint(piped) != fmt.Sprint(got) {
		t.Errorf("from a pipe %q, as a file %q", piped, got)
	}
	return got
}

func TestArchive(t *testing.T) {
	t.Parallel()
	csv := "createdDateTime,id,userPrincipalName,appId,ipAddress,status,clientAppUsed\n2026-11-20T08:00:00Z,a,u@x.example,b,192.0.2.1,0,Browser\n"
	inside := zipped(t, zipFile{"users.json", "[" + user(1) + "]"})
	for _, c := range []struct {
		name string
		zip  []byte
		want []string
	}{
		{"mixed", zipped(t, zipFile{"logs/", ""}, zipFile{"logs/s.csv", csv}, zipFile{"logs/u.json", user(1)}, zipFile{"__MACOSX/._u", "x"},
			zipFile{"read me.txt", "hello"}),
			[]string{"x!logs/s.csv read 1 signIn", "x!logs/u.json read 1 user",
				"x!read me.txt not_recognised : text that is neither JSON nor CSV with a header row"}},
		{"compressed inside", zipped(t, zipFile{"u.json.gz", string(gz([]byte(user(1))))}), []string{"x!u.json.gz read 1 user"}},
		{"a zip inside", zipped(t, zipFile{"in.zip", string(inside)}), []string{"x!in.zip!users.json read 1 user"}},
		{"a zip inside a zip inside", zipped(t, zipFile{"a.zip", string(zipped(t, zipFile{"b.zip", string(inside)}))}),
			[]string{"x!a.zip!b.zip unreadable : an archive in an archive in an archive: unpack it first"}},
		{"equal names", zipped(t, zipFile{"u.json", user(1)}, zipFile{"u.json", user(2)}), []string{"x!u.json read 1 user", "x!u.json (2) read 1 user"}},
		{"names that hide", zipped(t, zipFile{"../../etc/\x1b[2Ju.json", user(1)}), []string{"x!../../etc/?[2Ju.json read 1 user"}},
		{"empty", zipped(t), []string{"x not_recognised : an empty zip archive"}},
		{"folders only", zipped(t, zipFile{"a/", ""}), []string{"x unreadable : the archive holds no file: nothing was exported into it"}},
		{"cut off", zipped(t, zipFile{"u.json", user(1)})[:40],
			[]string{"x unreadable : this is a zip archive: unpack it first; it cannot be opened as it is, it is damaged or cut off"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := readArchive(t, Options{}, c.zip); fmt.Sprintf("%q", got) != fmt.Sprintf("%q", c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// Archives that nobody should send.
func TestHostileArchive(t *testing.T) {
	t.Parallel()
	locked := zipped(t, zipFile{"u.json", user(1)})
	flags := bytes.Index(locked, []byte("PK\x01\x02")) + 8
	locked[flags] |= 1
	odd := zipped(t, zipFile{"u.json", user(1)})
	at := bytes.Index(odd, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint16(odd[at+10:], 9)
	damaged := zipped(t, zipFile{"u.json", "[" + user(1) + "]"})
	at = bytes.Index(damaged, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(damaged[at+16:], crc32.ChecksumIEEE([]byte("other")))
	many := make([]zipFile, text.MaxEntries+5)
	for i := range many {
		many[i] = zipFile{fmt.Sprint(i), ""}
	}
	many[0].text = user(1)
	for _, c := range []struct {
		name string
		zip  []byte
		o    Options
		want string
	}{
		{"encrypted", locked, Options{}, "x!u.json unreadable : this file of the archive is encrypted with a password: unpack it first"},
		{"a method of its own", odd, Options{}, "x!u.json unreadable : this file of the archive is compressed by Deflate64 (method 9), which is not " +
			"read: unpack it first"},
		{"a wrong checksum", damaged, Options{}, "x!u.json partial 1 user: the zip data is damaged: its checksum does not match"},
		{"a bomb", zipped(t, zipFile{"u.json", "[" + strings.Repeat(" ", 8<<20) + "]"}), Options{ExpansionFloor: 1 << 20, Expansion: 20},
			"expands out of all proportion; reading stopped there"},
		{"a bomb of many", zipped(t, bombs(40)...), Options{ExpansionFloor: 1 << 20, Expansion: 20},
			"x unreadable : the archive expands out of all proportion; reading stopped there"},
		{"many files", zipped(t, many...), Options{}, "x unreadable : the archive has more than 10000 files; the rest was not read: unpack it first"},
		{"a Word document", zipped(t, zipFile{"word/document.xml", "<x/>"}), Options{}, "x not_recognised : a Word document"},
		{"a spreadsheet of another office", zipped(t, zipFile{"content.xml", "<x/>"}), Options{},
			"an OpenDocument file (for a spreadsheet: save each sheet as CSV (UTF-8))"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := readArchive(t, c.o, c.zip); !strings.Contains(strings.Join(got, "\n"), c.want) {
				t.Errorf("got %.2000q\nwant %q", got, c.want)
			}
		})
	}
}

// bombs are files each of which stays below the floor.
func bombs(n int) (files []zipFile) {
	for i := range n {
		files = append(files, zipFile{fmt.Sprint(i), "[" + user(i) + "," + strings.Repeat(" ", 1<<19) + user(i) + "]"})
	}
	return files
}

// What an archive could not be read of may be more of what it holds.
func TestArchiveCuts(t *testing.T) {
	t.Parallel()
	s := &strictSink{t: t, drop: true}
	ins, err := Read(context.Background(), Options{ExpansionFloor: 1 << 20, Expansion: 20, Stdin: bytes.NewReader(zipped(t, bombs(40)...))}, []string{"-"}, s)
	if err != nil || len(ins) < 2 || len(ins[0].Cuts) != 1 || ins[0].Cuts[0].Kind != evidence.User {
		t.Errorf("%v %+v", err, ins[0])
	}
}

// FuzzZip: whatever the archive, reading ends and every account holds.
func FuzzZip(f *testing.F) {
	f.Add(zipped(f, zipFile{"u.json", user(1)}, zipFile{"a/b.csv", "userPrincipalName,displayName\nx,y\n"}))
	f.Add(zipped(f, zipFile{"in.zip", string(zipped(f, zipFile{"u.json", user(1)}))}))
	f.Add(zipped(f, zipFile{"xl/workbook.xml", "<workbook/>"}))
	f.Add(sheetBytes(f, [][]any{{"userPrincipalName", "displayName", "createdDateTime"}, {"x", "y", 46346.5}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		o := Options{ExpansionFloor: 1 << 20, Expansion: 20, Stdin: bytes.NewReader(append([]byte("PK\x03\x04"), data[min(4, len(data)):]...))}
		s := &strictSink{t: t}
		ins, err := Read(context.Background(), o, []string{"-"}, s)
		if err != nil || len(ins) == 0 {
			t.Fatal(err, len(ins))
		}
		for _, in := range ins {
			checkInput(t, in)
		}
	})
}

func unzipped(t testing.TB, b []byte) (files []zipFile) {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range zr.File {
		rc, err := e.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(rc)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, zipFile{e.Name, string(text)})
	}
	return files
}
