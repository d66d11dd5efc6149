package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/goreleaser/nfpm/v2"
	"github.com/goreleaser/nfpm/v2/deb"
)

// debVersion brings a version of Go's to Debian's order: what comes before a release
// sorts before it, and a hyphen would begin Debian's own revision.
func debVersion(v string) string {
	v = strings.TrimPrefix(v, "v")
	v = strings.Replace(v, "-", "~", 1)
	return strings.ReplaceAll(v, "-", ".")
}

// writeDeb writes the Debian package of the stage's program.
func writeDeb(to, version, arch string, s *stage) error {
	maintainer := os.Getenv("MAINTAINER")
	if maintainer == "" {
		maintainer = "The owner of this build <root@localhost>"
	}
	vars := map[string]string{"STAGE": s.dir, "VERSION": version, "ARCH": arch, "MAINTAINER": maintainer}
	text, err := os.ReadFile(filepath.Join(s.dir, "packaging", "nfpm.yaml"))
	if err != nil {
		return err
	}
	c, err := nfpm.Parse(strings.NewReader(os.Expand(string(text), func(name string) string { return vars[name] })))
	if err != nil {
		return err
	}
	info, err := c.Get("deb")
	if err != nil {
		return err
	}
	info.MTime = s.moment
	info = nfpm.WithDefaults(info)
	if err := nfpm.PrepareForPackager(info, "deb"); err != nil {
		return err
	}
	return write(to, func(w io.Writer) error { return deb.Default.Package(info, w) })
}
