//go:build !judge

package app

import (
	"net"
	"path/filepath"
	"strings"
)

// Alone takes the place of the one process that works this installation's database,
// as Serve does: kind problem.Conflict where another has it. what names this one.
func (i *Installation) Alone(what string) error { return i.hold(what) }

// Anywhere lets the laboratory be served at any free port of this machine where that
// of the settings is taken: nobody was promised it. A real tenant's server is where
// its settings say.
func (i *Installation) Anywhere() {
	if !i.Lab() {
		return
	}
	l, err := net.Listen("tcp", i.Config.Web.Listen)
	if err != nil {
		i.Config.Web.Listen = "127.0.0.1:0"
		return
	}
	_ = l.Close()
}

// Places say where an installation's things lie.
type Places struct {
	Data     string `json:"data"`
	Database string `json:"database"` // without what could be a password
	Archive  string `json:"archive"`
	Cloud    string `json:"cloud"`
	Status   string `json:"status,omitempty"` // the partner cloud's status page
}

// Places tells where things lie.
func (i *Installation) Places() Places {
	p := Places{Data: i.Config.Data, Database: i.DB.Where(), Archive: i.archivePlace(), Cloud: i.Cloud.Name}
	if i.Lab() {
		p.Data = filepath.Join(p.Data, LabName)
	}
	if i.lab != nil {
		p.Status = i.lab.Info.PortalHTTP
	}
	return p
}

// archivePlace is where the archive is, without what follows an address: it may say
// more than a place.
func (i *Installation) archivePlace() string {
	if at := i.Config.Archive.Place; at != "" && !i.Lab() {
		at, _, _ = strings.Cut(at, "?")
		return at
	}
	return i.archiveDir()
}

// Lines are the places with a word for each.
func (p Places) Lines() [][2]string {
	out := [][2]string{{"data", p.Data}, {"database", p.Database}, {"archive", p.Archive}}
	if p.Status != "" {
		out = append(out, [2]string{"portal", p.Status + "  of the partner cloud"})
	}
	return append(out, [2]string{"report", "partnerguard assess --from archive: --output html --out report.html"},
		[2]string{"later", "partnerguard changes, gaps, history, collect status"})
}
