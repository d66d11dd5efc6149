package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"io"
	"net/url"
	"os"
	"runtime/debug"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// writeBOM writes what the program at path is made of, as Go recorded it in the
// program itself: its modules and the standard library, in CycloneDX 1.6.
func writeBOM(to, path string, moment time.Time) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return err
	}
	sum, err := sumOf(path)
	if err != nil {
		return err
	}
	return write(to, func(w io.Writer) error {
		e := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON)
		e.SetPretty(true)
		return e.EncodeVersion(bom(info, sum, moment), cdx.SpecVersion1_6)
	})
}

func bom(info *debug.BuildInfo, sum string, moment time.Time) *cdx.BOM {
	b := cdx.NewBOM()
	self := component(&info.Main)
	self.Type = cdx.ComponentTypeApplication
	self.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: sum}}
	var how []cdx.Property
	for _, s := range info.Settings {
		how = append(how, cdx.Property{Name: "go:build:" + s.Key, Value: s.Value})
	}
	self.Properties = &how
	b.Metadata = &cdx.Metadata{Timestamp: moment.Format(time.RFC3339), Component: &self}
	std := component(&debug.Module{Path: "std", Version: strings.TrimPrefix(info.GoVersion, "go")})
	parts, refs := []cdx.Component{std}, []string{std.BOMRef}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		c := component(m)
		if m.Sum != "" { // Go's own hash over a module's files, and of no file
			c.Properties = &[]cdx.Property{{Name: "go:module:sum", Value: m.Sum}}
		}
		parts, refs = append(parts, c), append(refs, c.BOMRef)
	}
	b.Components = &parts
	b.Dependencies = &[]cdx.Dependency{{Ref: self.BOMRef, Dependencies: &refs}}
	return b
}

func component(m *debug.Module) cdx.Component {
	purl := "pkg:golang/" + (&url.URL{Path: m.Path}).EscapedPath()
	if m.Version != "" {
		purl += "@" + url.QueryEscape(m.Version)
	}
	return cdx.Component{BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version, PackageURL: purl}
}

func sumOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
