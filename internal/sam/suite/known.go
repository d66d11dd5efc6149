package suite

import "context"

// maxKnown bounds the customers that are offered for completion.
const maxKnown = 500

// ConnectionNames are the names of the connections.
func (s *Suite) ConnectionNames(ctx context.Context) (names []string, err error) {
	list, err := s.Store.List(ctx)
	for _, c := range list {
		names = append(names, c.Name)
	}
	return names, err
}

// AppIDs are the client ids of the apps that are registered here.
func (s *Suite) AppIDs(ctx context.Context) (ids []string, err error) {
	list, err := s.Store.Registrations(ctx)
	for _, r := range list {
		ids = append(ids, r.ClientID)
	}
	return ids, err
}

// CustomerDomains are the default domains of the first 500 customers, as Partner
// Center lists them for the only connection there is, and the word for the
// partner's own tenant.
func (s *Suite) CustomerDomains(ctx context.Context) ([]string, error) {
	names := []string{"partner"}
	c, err := s.Connection(ctx, "")
	if err != nil {
		return names, err
	}
	p, err := s.PartnerCenter(c)
	if err != nil {
		return names, err
	}
	for x, err := range p.Customers(ctx, maxKnown) {
		if err != nil || len(names) > maxKnown {
			return names, err
		}
		names = append(names, x.Domain)
	}
	return names, nil
}
