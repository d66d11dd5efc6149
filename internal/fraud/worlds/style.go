package worlds

// style is how a world's files are written: others' exports differ.
type style struct {
	form   string // of the Activity Log: "rest", "diagnostic" or "flat"
	mixed  bool   // a file of each form
	camel  bool   // usage lines with small first letters
	hourly bool   // usage rated by the hour
	bodies bool   // requests are kept in the log
	plan   bool   // SubscriptionId is the plan's, the subscription is in EntitlementId
	object bool   // Tags and AdditionalInfo are objects
	where  string // of directory rows: "beside", "inside" the activity files, or "nowhere"
	files  string // usage by "day", "month" or in "one" file
	packed bool
	lists  string // how customers.json is written: "array", "value", "lines"
	late   bool   // some lines are rated a few days later
	money  []change
	gaps   []int // days whose usage is missing
}

// change is another currency, or the same one at another rate, from an hour on.
type change struct {
	from     int
	currency string
	permille int64
}

func styleOf(d *dice, w *World) style {
	st := style{form: pick(d, []string{"rest", "rest", "diagnostic", "flat"}), mixed: d.odds(10), camel: d.odds(40), bodies: d.odds(80), plan: d.odds(60),
		object: d.odds(20), where: pick(d, []string{"beside", "beside", "inside", "nowhere"}), files: pick(d, []string{"day", "month", "one"}),
		packed: d.odds(70), lists: pick(d, []string{"array", "value", "lines"}), late: d.odds(25)}
	st.hourly = len(w.subscriptions()) <= 4 && w.Days <= 75 && d.odds(60)
	st.money = []change{{0, pick(d, []string{"EUR", "EUR", "EUR", "USD", "CHF", "GBP"}), 1000}}
	return st
}
