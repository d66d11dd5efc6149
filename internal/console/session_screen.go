package console

import (
	"context"
	"net/url"
	"time"

	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Screens are the console's own pages: who is in it, and who may come in as what.
func (c *Console) Screens() []screen.Screen {
	return []screen.Screen{c.sessionScreen(), c.roleScreen(), c.tokenScreen()}
}

// sessionLine is a row of the page of sessions.
type sessionLine struct {
	ID      string    `json:"id"`
	Who     string    `json:"who"`
	Name    string    `json:"name"`
	Role    string    `json:"role"`
	Limited int       `json:"customers"` // to how many it is limited; -1 is all
	Way     string    `json:"way"`
	Proof   string    `json:"proof"`
	Proven  time.Time `json:"proven,omitzero"`
	Entered time.Time `json:"entered"`
	Seen    time.Time `json:"seen"`
	Ends    time.Time `json:"ends"`
	Address string    `json:"address"`
	Client  string    `json:"client"`
	Own     bool      `json:"own"` // the one that asks
	Refused string    `json:"refused,omitempty"`
}

// unless is a verdict that stands in a cell where something is refused, nil where not.
func unless(refused string) *page.Said {
	if refused == "" {
		return nil
	}
	return &page.Said{Tone: print.Bad, Word: "refused"}
}

// customersWord says to how many customers something is limited.
func customersWord(n int) string {
	if n < 0 {
		return "all tenants"
	}
	return print.Plural(int64(n), "customers")
}

func countOf(customers []string) int {
	if customers == nil {
		return -1
	}
	return len(customers)
}

var sessionList = &screen.List[sessionLine]{
	Noun: "session", Default: "-seen", Search: "who, address, browser", Key: func(s *sessionLine) string { return s.ID },
	Columns: []screen.Column[sessionLine]{
		{Name: "who", Head: "Who", Cell: func(s *sessionLine) screen.Cell {
			cell := screen.Named(s.Name, s.Who, "")
			if cell.Said = unless(s.Refused); s.Own {
				cell.Tags = append(cell.Tags, screen.Tag{Text: "this one"})
			}
			return cell
		}},
		{Name: "role", Head: "Role", Cell: func(s *sessionLine) screen.Cell { return screen.Cell{Text: s.Role, Sub: customersWord(s.Limited)} }},
		{Name: "proof", Head: "MFA by", Cell: func(s *sessionLine) screen.Cell {
			return screen.Cell{Icon: "key", Text: s.Proof, Sub: "proven", SubAt: s.Proven}
		}},
		{Name: "from", Head: "From", Drop: true, Cell: func(s *sessionLine) screen.Cell { return screen.Cell{Text: s.Client, Sub: s.Address} }},
		{Name: "entered", Head: "Entered", Right: true, Cell: func(s *sessionLine) screen.Cell { return screen.When(s.Entered, "") },
			Order: func(a, b *sessionLine) int { return a.Entered.Compare(b.Entered) }},
		{Name: "seen", Head: "Seen", Right: true, Cell: func(s *sessionLine) screen.Cell { return screen.When(s.Seen, "") },
			Order: func(a, b *sessionLine) int { return a.Seen.Compare(b.Seen) }},
		{Name: "ends", Head: "Ends", Right: true, Cell: func(s *sessionLine) screen.Cell { return screen.When(s.Ends, "") },
			Order: func(a, b *sessionLine) int { return a.Ends.Compare(b.Ends) }},
	},
	Filters: []screen.Filter[sessionLine]{{Name: "role", Head: "Role", Of: func(s *sessionLine) []string { return []string{s.Role} }}},
	Detail: func(s *sessionLine) []screen.Block {
		blocks := []screen.Block{screen.Pairs{{Key: "Id", Cell: screen.Cell{Text: s.ID, Mono: true}}, {Key: "Came in by", Cell: screen.Words(s.Way)}}}
		if s.Refused != "" {
			blocks = append(blocks, screen.Para{Text: s.Refused, Class: "note"})
		}
		return append(blocks, screen.Do{Path: "/sessions/end", Right: screen.SeePosture, Text: "End it", Fields: url.Values{"id": {s.ID}}, Danger: true})
	},
}

func (c *Console) sessionScreen() screen.Screen {
	return screen.Screen{
		Name: "sessions", Title: "Sessions", Icon: "lock", Group: screen.Evidence, Order: 90, See: screen.SeePosture, Over: screen.OfHouse,
		About: "Who is in the console, how they proved MFA, and when their session ends.", List: sessionList,
		Load: func(ctx context.Context, a *screen.Ask) (*screen.View, error) {
			list, err := c.Sessions(ctx)
			if err != nil {
				return nil, err
			}
			rows := []sessionLine{}
			for i := range list {
				s := &list[i]
				if s.Actor != a.Viewer.Actor && !a.Viewer.May(screen.Manage) {
					continue
				}
				role, _ := FindRole(s.Role)
				rows = append(rows, sessionLine{s.ID, s.Actor, s.Name, role.Title, countOf(s.Customers), s.Way, s.Proof, s.Proven, s.Made, s.Seen, s.Ends,
					s.Address,
					s.Client, s.ID == a.Viewer.Session, s.Refused})
			}
			v := &screen.View{Rows: sessionList.Of(rows), Sentence: "Each ends when nobody uses it for " + span(c.d.Config.Idle) + ", and after " +
				span(c.d.Config.Life) + " whatever happens.", Nothing: &screen.Nothing{Head: "Nobody is in the console"}}
			if !a.Viewer.May(screen.Manage) {
				v.Sentence = "Your own sessions. " + v.Sentence
			}
			if a.Viewer.Session != "" {
				v.Actions = []screen.Action{{Text: "Sign out everywhere", Icon: "out", Act: "everywhere"}}
			}
			return v, nil
		},
		Acts: []screen.Act{
			{Name: "end", Title: "End a session", Do: screen.SeePosture, About: "Ends one of your own sessions; an administrator any.",
				Form:   []screen.Field{{Name: "id", Label: "Session", Kind: "hidden", Required: true, Max: 40}},
				Handle: c.endByPage},
			{Name: "everywhere", Title: "Sign out everywhere", Do: screen.SeePosture, About: "Ends all your sessions, this one too.",
				Handle: func(ctx context.Context, a *screen.Ask, _ url.Values) (screen.Done, error) {
					_, err := c.EndSessions(ctx, a.Viewer.Actor, "", a.Viewer.Actor)
					return screen.Done{Path: "/", Said: "All your sessions were ended"}, err
				}},
		},
	}
}

// endByPage ends a session: one's own, or anybody's for who manages.
func (c *Console) endByPage(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	list, err := c.Sessions(ctx)
	if err != nil {
		return screen.Done{}, err
	}
	for i := range list {
		s := &list[i]
		if s.ID == form.Get("id") && (s.Actor == a.Viewer.Actor || a.Viewer.May(screen.Manage)) {
			return screen.Done{Said: "The session of " + s.Name + " was ended"}, c.EndSession(ctx, s.ID, a.Viewer.Actor)
		}
	}
	return screen.Done{}, problem.New(problem.NotFound, "there is no such session, or it is not yours to end")
}
