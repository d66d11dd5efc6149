package graph

import (
	"net/http"
	"strings"
	"sync"

	"partnerguard/internal/partnercloud/graph/csdl"
	"partnerguard/internal/partnercloud/graph/odata"
)

// documents holds the $metadata of both versions, made when first asked.
type metadataDocs struct {
	v1, beta sync.Once
	docs     [2][]byte
	errs     [2]error
}

// document gives the $metadata of a version: of what the table of routes serves.
func (g *Graph) document(beta bool) ([]byte, error) {
	once, version, i := &g.metadata.v1, "v1.0", 0
	if beta {
		once, version, i = &g.metadata.beta, "beta", 1
	}
	once.Do(func() {
		m, err := csdl.Load(version)
		if err != nil {
			g.metadata.errs[i] = err
			return
		}
		for _, r := range routes() {
			if r.in(version) && r.leftOut == "" {
				m.Serve(r.parts)
			}
		}
		for _, sh := range []*shape{g.sh.user, g.sh.group, g.sh.role, g.sh.app, g.sh.sp, g.sh.assigned, g.sh.eligible, g.sh.heldNow, g.sh.askEligible,
			g.sh.askActive, g.sh.unit} {
			for nav := range sh.navs {
				m.Expand(sh.typ, nav)
			}
		}
		m.Serve([]string{"me"})
		g.metadata.docs[i] = m.Write()
	})
	return g.metadata.docs[i], g.metadata.errs[i]
}

// models are the models of both versions that names below a property are looked up in.
var models = sync.OnceValue(func() (out [2]*csdl.Model) {
	for i, version := range []string{"v1.0", "beta"} {
		if m, err := csdl.Load(version); err == nil {
			out[i] = m
		}
	}
	return out
})

// unknownBelow gives the name in a path below a property that its type does not have.
func unknownBelow(typ string, path []string, beta bool) string {
	m := models()[0]
	if beta {
		m = models()[1]
	}
	if m == nil || len(path) < 2 || typ == "directoryObject" {
		return ""
	}
	return m.Unknown(typ, path)
}

// kindBelow gives the kind of a property that a filter compares, "" where any value may
// stand.
func kindBelow(typ string, beta bool) func(path []string) string {
	m := models()[0]
	if beta {
		m = models()[1]
	}
	return func(path []string) string {
		if m == nil || typ == "directoryObject" {
			return ""
		}
		p, enum, ok := m.Property(typ, path)
		switch {
		case !ok:
			return ""
		case p.Many:
			return odata.KindMany
		case enum:
			return odata.KindText
		}
		switch p.Type {
		case "Edm.Boolean":
			return odata.KindBool
		case "Edm.String", "Edm.Guid":
			return odata.KindText
		case "Edm.Int16", "Edm.Int32", "Edm.Int64", "Edm.Double", "Edm.Single", "Edm.Decimal":
			return odata.KindNumber
		case "Edm.DateTimeOffset", "Edm.Date":
			return odata.KindTime
		}
		return ""
	}
}

// isMetadata reports the address of the document, which is for everybody.
func (c *call) isMetadata() bool {
	return len(c.path) == 1 && strings.EqualFold(c.path[0], "$metadata") && c.r.Method == http.MethodGet
}

func (c *call) metadata() (*reply, error) {
	doc, err := c.g.document(c.beta)
	if err != nil {
		return nil, err
	}
	return &reply{call: c, status: http.StatusOK, body: doc, media: "application/xml"}, nil
}
