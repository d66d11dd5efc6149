package world

import (
	"encoding/hex"
	"strings"
	"time"
)

// Commerce is what a customer's dealings with the partner left behind, beyond the
// subscriptions themselves. Slices in it are replaced, never written into.
type Commerce struct {
	Orders         []Order         `json:"orders,omitempty"`
	Carts          []Cart          `json:"carts,omitempty"`
	Agreements     []Agreement     `json:"agreements,omitempty"`
	Qualifications []Qualification `json:"qualifications,omitempty"`
	Profile        *BillingProfile `json:"profile,omitempty"` // nil: nothing was written
	Batches        []DeviceBatch   `json:"batches,omitempty"`
	Policies       []DevicePolicy  `json:"policies,omitempty"`
	Jobs           []BatchJob      `json:"jobs,omitempty"`
}

// Deal is how a subscription was bought and what became of it.
type Deal struct {
	Order     string            `json:"order"`
	Line      int               `json:"line,omitempty"`
	Currency  string            `json:"currency"`
	Term      string            `json:"term,omitempty"` // ISO 8601; "": no term
	Cycle     string            `json:"cycle"`
	Trial     bool              `json:"trial,omitempty"`
	TermStart time.Time         `json:"termStart"`        // of the term at hand
	TermEnd   time.Time         `json:"termEnd,omitzero"` // exclusive; zero: there is none
	Once      bool              `json:"once,omitempty"`   // does not renew by itself
	Next      *NextTerm         `json:"next,omitempty"`   // instructions for the next term
	Promotion string            `json:"promotion,omitempty"`
	Partner   string            `json:"partner,omitempty"` // partner number of the reseller of record
	Parent    string            `json:"parent,omitempty"`  // id of the subscription it adds to
	Context   map[string]string `json:"context,omitempty"` // provisioning
	Support   *SupportContact   `json:"support,omitempty"`
	// Registered is when an Azure subscription was registered for reservations.
	Registered  time.Time    `json:"registered,omitzero"`
	Events      []DealEvent  `json:"events"` // oldest first; the first is the purchase
	Transitions []Transition `json:"transitions,omitempty"`
	Actions     []time.Time  `json:"actions,omitempty"` // the last updates, for "too many times"
}

// What happens to a subscription.
const (
	DealNew      = "new"
	DealQuantity = "quantity"
	DealConvert  = "convert" // to another offer, term or cycle
	DealRenew    = "renew"   // by instructions for the next term
	DealCancel   = "cancel"
	DealSuspend  = "suspend"
	DealResume   = "resume"
	DealCycle    = "cycle" // billed otherwise from the next billing period on
	DealEnd      = "end"   // the term ended and nothing renewed it
)

// DealEvent is one thing that happened, with how the subscription stood after it.
type DealEvent struct {
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	Offer    string    `json:"offer"`
	Quantity int       `json:"quantity"`
	Term     string    `json:"term,omitempty"`
	Cycle    string    `json:"cycle,omitempty"`
	End      time.Time `json:"end,omitzero"` // of the term that begins, where it is not the usual one
	// Promotion is that of the term that begins.
	Promotion string `json:"promotion,omitempty"`
}

// NextTerm says what a subscription becomes when its term ends.
type NextTerm struct {
	Offer     string    `json:"offer"`
	Term      string    `json:"term"`
	Cycle     string    `json:"cycle"`
	Quantity  int       `json:"quantity"`
	Promotion string    `json:"promotion,omitempty"`
	End       time.Time `json:"end,omitzero"`
}

// SupportContact is whom a customer asks about a subscription.
type SupportContact struct {
	TenantID string `json:"tenantId"`
	MPN      string `json:"mpn"`
	Name     string `json:"name"`
}

// Transition is a move from one offer to another.
type Transition struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	ToSub    string    `json:"toSub"`
	Quantity int       `json:"quantity"`
	Term     string    `json:"term"`
	Cycle    string    `json:"cycle"`
	Kind     string    `json:"kind"`
}

// Order is what was bought at once.
type Order struct {
	ID       string      `json:"id"`
	Created  time.Time   `json:"created"`
	Cycle    string      `json:"cycle"`
	Currency string      `json:"currency"`
	Status   string      `json:"status"` // completed, cancelled
	Lines    []OrderLine `json:"lines"`
}

// OrderLine is one offer of an order.
type OrderLine struct {
	Offer        string            `json:"offer"`
	Subscription string            `json:"subscription,omitempty"` // "" of software
	Parent       string            `json:"parent,omitempty"`
	Name         string            `json:"name"`
	Quantity     int               `json:"quantity"`
	Term         string            `json:"term,omitempty"`
	Cycle        string            `json:"cycle"`
	Partner      string            `json:"partner,omitempty"`
	Partners     []string          `json:"partners,omitempty"` // more resellers of record
	Promotion    string            `json:"promotion,omitempty"`
	Context      map[string]string `json:"context,omitempty"`
	Attested     bool              `json:"attested,omitempty"`
	Cancelled    time.Time         `json:"cancelled,omitzero"`
}

// Cart is what may become orders.
type Cart struct {
	ID       string     `json:"id"`
	Created  time.Time  `json:"created"`
	Modified time.Time  `json:"modified"`
	Expires  time.Time  `json:"expires"`
	By       string     `json:"by"`
	Ordered  bool       `json:"ordered,omitempty"`
	Lines    []CartLine `json:"lines"`
}

// CartLine is one item of a cart.
type CartLine struct {
	OrderLine
	ID       int       `json:"id"`
	Currency string    `json:"currency"`
	Group    string    `json:"group"`
	RenewsTo string    `json:"renewsTo,omitempty"`
	End      time.Time `json:"end,omitzero"` // of the first term
	AddOnOf  *int      `json:"addOnOf,omitempty"`
	Error    int       `json:"error,omitempty"` // CartErrorCode
	Why      string    `json:"why,omitempty"`
}

// Agreement is a customer's acceptance of an agreement, as the partner confirmed it.
type Agreement struct {
	Type     string    `json:"type"`
	Template string    `json:"template"`
	Agreed   time.Time `json:"agreed"`
	User     string    `json:"user,omitempty"`
	First    string    `json:"first"`
	Last     string    `json:"last"`
	Email    string    `json:"email"`
	Phone    string    `json:"phone,omitempty"`
}

// Qualification is what a customer qualifies for besides commercial prices.
type Qualification struct {
	Name    string    `json:"name"`
	Status  string    `json:"status"` // InReview, Approved, Denied
	Created time.Time `json:"created"`
}

// Address is a postal address with a person at it.
type Address struct {
	Country string `json:"country"`
	Region  string `json:"region,omitempty"`
	City    string `json:"city,omitempty"`
	State   string `json:"state,omitempty"`
	Line1   string `json:"line1,omitempty"`
	Line2   string `json:"line2,omitempty"`
	Postal  string `json:"postal,omitempty"`
	First   string `json:"first,omitempty"`
	Middle  string `json:"middle,omitempty"`
	Last    string `json:"last,omitempty"`
	Phone   string `json:"phone,omitempty"`
}

// BillingProfile is who is billed.
type BillingProfile struct {
	First    string  `json:"first,omitempty"`
	Last     string  `json:"last,omitempty"`
	Email    string  `json:"email,omitempty"`
	Phone    string  `json:"phone,omitempty"` // of the contact, where it is not the address's
	Culture  string  `json:"culture,omitempty"`
	Language string  `json:"language,omitempty"`
	Company  string  `json:"company,omitempty"`
	Address  Address `json:"address"`
}

// Account is what a partner said of itself in Partner Center.
type Account struct {
	Legal        *BillingProfile  `json:"legal,omitempty"`
	Approver     *BillingProfile  `json:"approver,omitempty"` // e-mail and address; nil: those of Legal
	Billing      *BillingProfile  `json:"billing,omitempty"`
	Organization *BillingProfile  `json:"organization,omitempty"`
	Order        string           `json:"order,omitempty"` // purchase order number
	TaxID        string           `json:"taxId,omitempty"`
	Support      *Support         `json:"support,omitempty"`
	Requests     []ServiceRequest `json:"requests,omitempty"`
	ETag         int64            `json:"etag,omitempty"`
}

// Support is where a partner's customers find help.
type Support struct {
	Email   string `json:"email"`
	Phone   string `json:"phone"`
	Website string `json:"website"`
}

// Said is what a partner said of itself, empty where it said nothing.
func (t *Tenant) Said() Account {
	if t.Account == nil {
		return Account{}
	}
	return *t.Account
}

// BatchDevice is a computer that is set up from the cloud.
type BatchDevice struct {
	ID       string    `json:"id"`
	Serial   string    `json:"serial"`
	Product  string    `json:"product,omitempty"`
	Hash     string    `json:"hash,omitempty"` // digest of the hardware hash
	Model    string    `json:"model,omitempty"`
	Maker    string    `json:"maker,omitempty"`
	Policy   string    `json:"policy,omitempty"`
	Uploaded time.Time `json:"uploaded"`
}

// DeviceBatch is devices that came together.
type DeviceBatch struct {
	ID      string        `json:"id"`
	By      string        `json:"by"`
	Created time.Time     `json:"created"`
	Devices []BatchDevice `json:"devices"`
}

// DevicePolicy is how a device is set up.
type DevicePolicy struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Category    string    `json:"category"`
	Description string    `json:"description,omitempty"`
	Settings    []string  `json:"settings"`
	Created     time.Time `json:"created"`
	Changed     time.Time `json:"changed"`
}

// BatchJob is the work on devices that was asked for.
type BatchJob struct {
	ID      string        `json:"id"`
	Started time.Time     `json:"started"`
	Devices []BatchDevice `json:"devices"`
	Errors  []string      `json:"errors,omitempty"` // by device; "" for none
}

// ServiceRequest is a ticket at Microsoft.
type ServiceRequest struct {
	ID       string        `json:"id"`
	Title    string        `json:"title"`
	Text     string        `json:"text,omitempty"`
	Severity string        `json:"severity"`
	Topic    string        `json:"topic"`
	TopicID  string        `json:"topicId"`
	Status   string        `json:"status"`
	Customer string        `json:"customer,omitempty"` // tenant id; "": the partner's own
	By       string        `json:"by,omitempty"`
	Created  time.Time     `json:"created"`
	Changed  time.Time     `json:"changed"`
	Closed   time.Time     `json:"closed,omitzero"`
	Notes    []ServiceNote `json:"notes,omitempty"`
}

// ServiceNote is a remark on a ticket.
type ServiceNote struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Trade is a customer's commerce, empty where there is none.
func (c *Customer) Trade() Commerce {
	if c.Commerce == nil {
		return Commerce{}
	}
	return *c.Commerce
}

// SetTrade replaces the customer's commerce by a changed copy: for use inside
// Table.Change alone.
func (c *Customer) SetTrade(f func(*Commerce)) {
	t := c.Trade()
	f(&t)
	c.Commerce = &t
}

// OrderID is the reproducible id of the order that a subscription of the seeded
// world came from: twelve hexadecimal digits, as new commerce has them.
func (s *State) OrderID(subscription string) string {
	return hex.EncodeToString(s.derive("order/" + strings.ToLower(subscription))[:6])
}

// Dice is a reproducible number of something in the seeded world, below n.
func (s *State) Dice(what string, n int) int {
	b := s.derive("dice/" + what)
	return int((uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])) % uint32(n))
}
