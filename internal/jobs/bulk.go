package jobs

import "github.com/riverqueue/river"

// bulk is the queue of long work that nobody waits for. Whoever works all takes half as
// many of its jobs at once as of the others, so that these are never behind it.
const bulk = "bulk"

// queues are what this process works: all, or the bulk alone.
func (o *Options) queues() map[string]river.QueueConfig {
	if o.BulkOnly {
		return map[string]river.QueueConfig{bulk: {MaxWorkers: o.Workers}}
	}
	return map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: o.Workers}, bulk: {MaxWorkers: max(o.Workers/2, 1)}}
}
