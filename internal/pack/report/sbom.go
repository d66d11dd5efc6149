package report

import (
	"io"
	"net/url"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"partnerguard/internal/print"
)

// sbomJSON writes what the program that made the pack is made of, as Go recorded it in the
// program: its modules and the standard library, in CycloneDX 1.6.
func (in *Input) sbomJSON(w io.Writer) error {
	e := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON)
	e.SetPretty(true)
	return e.EncodeVersion(in.bom(), cdx.SpecVersion1_6)
}

func (in *Input) bom() *cdx.BOM {
	b := cdx.NewBOM()
	b.SerialNumber = "urn:uuid:" + in.id("sbom")
	self := component(&in.Build.Main)
	self.Type = cdx.ComponentTypeApplication
	var how []cdx.Property
	for _, s := range in.Build.Settings {
		// How it was built, and not where: flags may name folders of whoever built it.
		if strings.HasPrefix(s.Key, "vcs.") || s.Key == "GOOS" || s.Key == "GOARCH" || s.Key == "CGO_ENABLED" || s.Key == "-tags" {
			how = append(how, cdx.Property{Name: "go:build:" + s.Key, Value: s.Value})
		}
	}
	if len(how) > 0 {
		self.Properties = &how
	}
	b.Metadata = &cdx.Metadata{Timestamp: print.SettledTime(in.Made).UTC().Format("2006-01-02T15:04:05Z"), Component: &self}
	std := component(&debug.Module{Path: "std", Version: strings.TrimPrefix(in.Build.GoVersion, "go")})
	parts, refs := []cdx.Component{std}, []string{std.BOMRef}
	for _, m := range in.Build.Deps {
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
