package run

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"partnerguard/internal/bridge"
	"partnerguard/internal/bridge/queue"
	"partnerguard/internal/observe"
	"partnerguard/internal/page"
	"partnerguard/internal/print"
	"partnerguard/internal/problem"
	"partnerguard/internal/screen"
)

// Waiting gives what is to be sent, of all places, whether the bridge runs here or not.
func (b *Bridge) Waiting(ctx context.Context) ([]queue.Item, error) {
	return queue.Waits(ctx, b.d.DB, b.d.Vault)
}

// Apart names what is kept beside the database: the messages that wait.
func (b *Bridge) Apart(ctx context.Context) (what, where string, err error) {
	if b == nil { // opened without the vault: nothing is known of it
		return "", "", nil
	}
	n, err := queue.Count(ctx, b.d.DB)
	if err != nil || n == 0 {
		return "", "", err
	}
	return fmt.Sprintf("%d messages that the mail bridge is to send", n), b.d.Folder, nil
}

// Metrics adds what devices do and what waits.
func (b *Bridge) Metrics(reg prometheus.Registerer) {
	const devices = "Devices of the mail bridge, by state."
	observe.Gauge(reg, "partnerguard_bridge_devices", devices, "state", func(ctx context.Context) (map[string]float64, error) {
		list, err := b.List(ctx)
		out := map[string]float64{}
		for i := range list {
			out[list[i].State(b.d.Now())]++
		}
		return out, err
	})
	const waiting = "Messages that wait to be sent, of all places."
	observe.Gauge(reg, "partnerguard_bridge_waiting", waiting, "", func(ctx context.Context) (map[string]float64, error) {
		n, err := queue.Count(ctx, b.d.DB)
		return map[string]float64{"": float64(n)}, err
	})
	const open = "Connections of devices, open here."
	observe.Gauge(reg, "partnerguard_bridge_connections", open, "", func(context.Context) (map[string]float64, error) {
		now := 0
		if x := b.now(); x != nil {
			_, now = x.front.Counts()
		}
		return map[string]float64{"": float64(now)}, nil
	})
	observe.Gauge(reg, "partnerguard_bridge_since_start", "What happened at the mail bridge since it was started here.", "what",
		func(context.Context) (map[string]float64, error) {
			x := b.now()
			if x == nil {
				return map[string]float64{}, nil
			}
			f, _ := x.front.Counts()
			q := x.queue.Counts()
			return map[string]float64{"connections": float64(f.Connections), "turned away": float64(f.Turned), "let in": float64(f.In),
				"refused": float64(f.Refused), "messages taken": float64(q.Taken), "recipients sent to": float64(q.Sent),
				"recipients failed": float64(q.Failed), "tries": float64(q.Tries), "doubtful": float64(q.Doubtful)}, nil
		})
}

func (b *Bridge) now() *running {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.running
}

// line is a row of the page.
type line struct {
	bridge.Device
	State string `json:"state"`
}

var deviceList = &screen.List[line]{
	Noun: "device", Default: "name", Search: "name, mailbox, address", Key: func(l *line) string { return l.ID },
	Columns: []screen.Column[line]{
		{Name: "name", Head: "Device", Cell: func(l *line) screen.Cell {
			cell := screen.Named(l.Name, l.ID, "")
			switch l.State {
			case "refused":
				cell.Said = &page.Said{Tone: print.Bad, Word: "not as written"}
			case "active":
			default:
				cell.Said = &page.Said{Tone: print.Muted, Word: l.State}
			}
			return cell
		}},
		{Name: "mailbox", Head: "Mailbox", Cell: func(l *line) screen.Cell { return screen.Words(l.Mailbox) }},
		{Name: "protocols", Head: "May", Cell: func(l *line) (cell screen.Cell) {
			for _, p := range l.Protocols {
				cell.Tags = append(cell.Tags, screen.Tag{Text: p})
			}
			return cell
		}, Text: func(l *line) string { return strings.Join(l.Protocols, " ") }},
		{Name: "sources", Head: "From", Cell: func(l *line) screen.Cell {
			if len(l.Sources) == 0 {
				return screen.Words("anywhere")
			}
			return screen.Words(strings.Join(l.Sources, " "))
		}},
		{Name: "used", Head: "Used", Right: true, Cell: func(l *line) screen.Cell {
			cell := screen.When(l.Used, "never used")
			if !l.Used.IsZero() {
				cell.Sub = l.UsedBy + " from " + l.UsedFrom
			}
			return cell
		}, Order: func(a, b *line) int { return a.Used.Compare(b.Used) }, Blank: func(l *line) bool { return l.Used.IsZero() }},
		{Name: "ends", Head: "Ends", Right: true, Cell: func(l *line) screen.Cell { return screen.When(l.Ends, "") },
			Order: func(a, b *line) int { return a.Ends.Compare(b.Ends) }},
		{Name: "made", Head: "Made", Right: true, Drop: true, Cell: func(l *line) screen.Cell {
			return screen.Cell{At: l.Made, Ago: true, Sub: "by " + l.By}
		}, Order: func(a, b *line) int { return a.Made.Compare(b.Made) }},
	},
	Detail: func(l *line) []screen.Block {
		var blocks []screen.Block
		if l.Refused != "" {
			blocks = append(blocks, screen.Para{Text: l.Refused, Class: "note"})
		}
		if len(l.Senders) > 0 {
			blocks = append(blocks, screen.Para{Text: "It may also write as " + strings.Join(l.Senders, ", ") + "."})
		}
		if !l.Revoked.IsZero() {
			return append(blocks, screen.Para{Text: "It was revoked on " + l.Revoked.Format(time.DateOnly) + " by " + l.RevokedBy + "."})
		}
		return append(blocks, screen.Do{Path: "/mail-devices/revoke", Right: screen.Manage, Text: "Revoke it", Fields: url.Values{"id": {l.ID}}, Danger: true})
	},
}

// Screens is the page of devices.
func (b *Bridge) Screens() []screen.Screen {
	return []screen.Screen{{
		Name: "mail-devices", Title: "Mail devices", Icon: "plug", Group: screen.Reach, Order: 60, See: screen.Manage, Over: screen.OfHouse,
		About: "The devices that send and read mail through the bridge: which mailbox each opens, from where, and when it was used.", List: deviceList,
		Load: func(ctx context.Context, a *screen.Ask) (*screen.View, error) {
			list, err := b.List(ctx)
			if err != nil {
				return nil, err
			}
			rows := []line{}
			for i := range list {
				rows = append(rows, line{list[i], list[i].State(a.Now)})
			}
			return &screen.View{Rows: deviceList.Of(rows),
				Sentence: "Each has a password of its own, for one mailbox. It proves no second factor: a device is bounded by its row.",
				Actions:  []screen.Action{{Text: "Make a device", Icon: "plus", Act: "make", Primary: true}},
				Nothing: &screen.Nothing{Head: "There is no device",
					Text:    "Printers and programs without modern authentication come in at the bridge with a password of their own.",
					Command: `partnerguard apppassword create --device "Scanner, second floor" --mailbox scans@contoso.example --protocols smtp --from 192.0.2.17`}}, nil
		},
		Acts: []screen.Act{
			{Name: "make", Title: "Make a device", Do: screen.Manage, About: "Makes a device, whose password is in this answer and nowhere else.",
				Form: []screen.Field{
					{Name: "name", Label: "Device", Hint: "where it stands", Required: true, Max: 80},
					{Name: "mailbox", Label: "Mailbox", Hint: "the one it opens", Required: true, Max: 254},
					{Name: "protocol", Label: "May", Kind: "select", Enum: bridge.Protocols(), Required: true, Many: true},
					{Name: "sources", Label: "Only from", Kind: "area", Hint: "an address or network a line; none is anywhere", Max: 2000},
					{Name: "days", Label: "Days", Hint: "1 to 732; 90 where nothing is said", Max: 3},
				}, Handle: b.makeByPage},
			{Name: "revoke", Title: "Revoke a device", Do: screen.Manage, About: "Ends a device's password, at once.",
				Form: []screen.Field{{Name: "id", Label: "Device", Kind: "hidden", Required: true, Max: 40}},
				Handle: func(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
					d, err := b.Revoke(ctx, form.Get("id"), a.Viewer.Actor)
					return screen.Done{Said: "The device " + d.Name + " was revoked"}, err
				}},
		},
	}}
}

func (b *Bridge) makeByPage(ctx context.Context, a *screen.Ask, form url.Values) (screen.Done, error) {
	days := 90
	if text := form.Get("days"); text != "" {
		var err error
		if days, err = strconv.Atoi(text); err != nil || days < 1 || days > 732 {
			return screen.Done{}, problem.New(problem.Usage, "a device's password lives 1 to 732 days")
		}
	}
	d, text, err := b.Create(ctx, bridge.Device{Name: form.Get("name"), Mailbox: form.Get("mailbox"), Protocols: form["protocol"],
		Sources: strings.Fields(form.Get("sources")), Ends: b.d.Now().Add(time.Duration(days) * 24 * time.Hour)}, a.Viewer.Actor)
	if err != nil {
		return screen.Done{}, err
	}
	return screen.Done{Said: "Its password is shown once: " + text.Reveal(), Body: struct {
		bridge.Device
		Password string `json:"password"`
	}{d, text.Reveal()}}, nil
}
