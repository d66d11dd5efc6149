//go:build !judge

package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"partnerguard/internal/alert"
	"partnerguard/internal/console"
	"partnerguard/internal/problem"
	"partnerguard/internal/sam/renew"
)

func (i *Installation) exceptionDates(ctx context.Context) (out []alert.Deadline, err error) {
	list, err := i.Posture.InForce(ctx)
	for k := range list {
		x := &list[k]
		out = append(out, alert.Deadline{ID: "exception/" + x.ID, Kind: alert.DueException, At: x.Expires, Sure: true, Path: "/exceptions?row=" + x.ID,
			Title: "The exception from " + x.Requirement + " ends", Detail: x.Owner + " answers for it: " + x.Reason})
	}
	return out, err
}

func (i *Installation) attestationDates(ctx context.Context) (out []alert.Deadline, err error) {
	list, err := i.Posture.Statements(ctx)
	for k := range list {
		v := &list[k]
		until, perr := time.Parse(time.DateOnly, v.Statement.Until)
		if v.Refused != "" || perr != nil || until.AddDate(0, 0, 1).Before(i.Now()) {
			continue
		}
		out = append(out, alert.Deadline{ID: "attestation/" + v.ID, Kind: alert.DueAttestation, At: until, Whole: true, Sure: true,
			Tenant: strings.ToLower(v.Tenant),
			Path:   "/exceptions", Title: "What " + v.Statement.Who + " vouches for ends: " + cmp.Or(v.Statement.Requirement, v.Statement.What),
			Detail: v.Statement.Reason})
	}
	return out, err
}

func (i *Installation) connectionDates(ctx context.Context) (out []alert.Deadline, err error) {
	rows, err := i.standings(ctx)
	for k := range rows {
		row := &rows[k]
		if row.At.IsZero() || row.Health == renew.Dead || row.Health == renew.Stopped {
			continue
		}
		out = append(out, alert.Deadline{ID: "connection/" + row.Connection.ID, Kind: alert.DueToken, At: row.At, Sure: len(row.Unknown) == 0,
			Tenant: strings.ToLower(row.Connection.Tenant), Path: "/connections", Title: "The connection " + cmp.Or(row.Connection.Name,
				row.Connection.ID) + " dies",
			Detail: strings.TrimSpace("Because " + row.Because + ". " + row.Fix)})
	}
	return out, err
}

// certificateDates are the ends of the server's certificate and of apps' credentials.
func (i *Installation) certificateDates(ctx context.Context) (out []alert.Deadline, err error) {
	add := func(id, title string, at time.Time, detail string) {
		if !at.IsZero() {
			out = append(out, alert.Deadline{ID: "certificate/" + id, Kind: alert.DueCertificate, At: at, Sure: true, Path: "/connections", Title: title,
				Detail: detail})
		}
	}
	if c := &i.Config.Web; c.TLSCertificate != "" {
		pair, lerr := tls.LoadX509KeyPair(c.TLSCertificate, c.TLSKey)
		if lerr == nil && pair.Leaf == nil {
			pair.Leaf, lerr = x509.ParseCertificate(pair.Certificate[0])
		}
		if lerr != nil {
			err = problem.Wrap(lerr, problem.BadInput, "the server's certificate cannot be read")
		} else {
			add("server", "The server's certificate ends", pair.Leaf.NotAfter, "Browsers and callers trust the server no more then.")
		}
	}
	if i.SAM == nil {
		return out, cmp.Or(err, error(problem.New(problem.Unavailable, "the apps' credentials are not known: the vault is not open")))
	}
	list, rerr := i.SAM.Store.Registrations(ctx)
	for _, r := range list {
		add("app/"+r.ClientID, "The "+string(r.Kind)+" of the app "+cmp.Or(r.Name, r.ClientID)+" ends", r.NotAfter,
			"Every connection of the app dies with it. partnerguard connect app certificate makes a new one.")
	}
	return out, errors.Join(err, rerr)
}

// judgedDates are what the newest judgements knew of dates.
func (i *Installation) judgedDates(ctx context.Context) (out []alert.Deadline, err error) {
	err = i.eachPart(ctx, func(_ string, p *alert.Part) {
		out = append(out, p.Deadlines...)
		for k := range p.Microsoft {
			if w := &p.Microsoft[k]; !w.Detected.IsZero() {
				out = append(out, alert.Deadline{ID: "fraud/" + w.ID, Kind: alert.DueAnswer, At: w.Due(), Sure: true, Path: "/status",
					Tenant: w.Customer, Title: "Microsoft's alert wants an answer: " + w.Titled(), Detail: "Within 24 hours after it was detected."})
			}
		}
	})
	return out, err
}

// feedSees says which tenants the owner of a calendar may know of now. Who works this
// machine knows all. Roles that were given to the person limit it; where none was, the
// calendar shows what it was made with, until it is revoked.
func (i *Installation) feedSees(ctx context.Context, owner string) (func(string) bool, bool, error) {
	everything := func(string) bool { return true }
	if i.Console == nil || strings.HasPrefix(owner, "local:") {
		return everything, true, nil
	}
	grants, err := i.Console.Grants(ctx)
	if err != nil {
		return nil, false, err
	}
	who := strings.Fields(strings.ToLower(owner)) // "entra:UPN ID"
	named, customers := false, map[string]bool{}
	for k := range grants {
		g := &grants[k]
		if g.Refused != "" || g.Kind != console.KindUser || !slices.Contains(who, g.Subject) {
			continue
		}
		if g.Customers == nil {
			return everything, true, nil
		}
		named = true
		for _, c := range g.Customers {
			customers[c] = true
		}
	}
	if !named {
		return everything, true, nil
	}
	return func(tenant string) bool { return customers[tenant] }, true, nil
}
