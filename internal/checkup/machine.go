package checkup

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"partnerguard/internal/observe"
	"partnerguard/internal/problem"
)

// Room that is left.
const (
	roomBad  = 256 << 20
	roomLow  = 2 << 30
	roomPart = 10 // a tenth
)

// files looks who may read and write what is kept.
func (d *Deps) files(context.Context) (list []Finding, err error) {
	ok := 0
	for _, f := range d.Files {
		if f.Path == "" {
			continue
		}
		info, err := os.Stat(f.Path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if f.Must {
				list = append(list, Finding{Level: Bad, Text: fmt.Sprintf("%s %s is not there", f.What, f.Path), Fix: "bring it back from where it is kept"})
			}
			continue
		case err != nil:
			list = append(list, Finding{Level: Unknown, Text: fmt.Sprintf("%s %s cannot be looked at%s", f.What, f.Path, problem.Reason(err)),
				Fix: "run doctor as the user that runs partnerguard"})
			continue
		}
		if x, bad := rights(f, info); bad {
			list = append(list, x)
			continue
		}
		ok++
	}
	if len(list) == 0 && ok > 0 {
		list = append(list, Finding{Level: Well, Text: "nobody but their owner reads or writes what is kept here"})
	}
	return list, nil
}

// rights says what is wrong with those of one file or folder.
func rights(f File, info fs.FileInfo) (Finding, bool) {
	if runtime.GOOS == "windows" { // rights are lists there, which this does not read
		return Finding{}, false
	}
	mode := info.Mode().Perm()
	want := "600"
	if info.IsDir() {
		want = "700"
	}
	switch {
	case f.Secret && mode&0o077 != 0:
		return Finding{Level: Bad, Text: fmt.Sprintf("%s %s is open to others (%04o)", f.What, f.Path, mode), Fix: "chmod " + want + " " + quoted(f.Path)}, true
	case !f.Secret && mode&0o022 != 0:
		return Finding{Level: Bad, Text: fmt.Sprintf("%s %s can be written by others (%04o)", f.What, f.Path, mode), Fix: "chmod go-w " + quoted(f.Path)}, true
	}
	return Finding{}, false
}

// quoted is a path for a shell.
func quoted(path string) string {
	for _, r := range path {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '/', r == '.', r == '-', r == '_':
		default:
			return fmt.Sprintf("%q", path)
		}
	}
	return path
}

// disk looks how much room there is.
func (d *Deps) disk(context.Context) ([]Finding, error) {
	free, all, ok := observe.Disk(d.Folder)
	if !ok || all == 0 {
		return []Finding{{Level: Unknown, Text: "how much room the data folder has is not known"}}, nil
	}
	f := Finding{Level: Well, Text: fmt.Sprintf("%s of %s are free where the data folder is", bytes(free), bytes(all))}
	switch fix := "df -h " + quoted(d.Folder) + "; make room there, or move the data folder"; {
	case free < roomBad:
		f.Level, f.Fix = Bad, fix
	case free < roomLow && free < all/roomPart, free < all/(5*roomPart):
		f.Level, f.Fix = Warning, fix
	}
	return []Finding{f}, nil
}

// bytes says a size.
func bytes(n uint64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%d MB", n>>20)
	}
	return fmt.Sprintf("%d kB", n>>10)
}

// certificate looks at the server's own.
func (d *Deps) certificate(context.Context) ([]Finding, error) {
	if d.Cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(d.Cert, d.Key)
	if err != nil {
		return []Finding{{Level: Bad, Text: fmt.Sprintf("the server's certificate %s with the key %s cannot be used", d.Cert, d.Key),
			Fix: "both are PEM, and the key is the certificate's: openssl x509 -noout -text -in " + quoted(d.Cert)}}, nil
	}
	f := Ends("the server's certificate "+filepath.Base(d.Cert), pair.Leaf.NotAfter, d.Now(), "renew it, and restart serve: systemctl restart partnerguard")
	if d.Now().Before(pair.Leaf.NotBefore) {
		f.Level, f.Text, f.Fix = Bad, "the server's certificate "+filepath.Base(d.Cert)+" is not valid yet", "timedatectl"
	}
	return []Finding{f}, nil
}

// backup looks when the last one was made.
func (d *Deps) backup(ctx context.Context) ([]Finding, error) {
	if d.Backed == nil || d.DB == nil {
		return nil, nil
	}
	at, err := d.Backed(ctx)
	if err != nil {
		return nil, err
	}
	const fix = "partnerguard backup --out FILE; a timer comes with the package: systemctl enable --now partnerguard-backup.timer"
	if at.IsZero() {
		return []Finding{{Level: Warning, Text: "nothing was ever backed up", Fix: fix}}, nil
	}
	age := d.Now().Sub(at)
	f := Finding{Level: Well, Text: "the last backup was made on " + at.UTC().Format(time.DateTime) + " UTC"}
	switch {
	case age > 8*24*time.Hour:
		f.Level, f.Fix = Bad, fix
	case age > 2*24*time.Hour:
		f.Level, f.Fix = Warning, fix
	case age < -time.Hour:
		f.Level, f.Fix = Warning, "timedatectl"
		f.Text += ", which is in the future"
	}
	return []Finding{f}, nil
}
