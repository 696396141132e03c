// What a page remembers across a reload. In this tab (`tab`): what the cashier is doing. For the whole till (`till`): which sales and
// baskets are in a customer's hand, so that a second page, or one that comes back, shows them. A code of a card or a voucher is
// never among it: it would lie on disk (law L11).

function drawer(storage) {
  return {
    get(name) {
      try {
        return JSON.parse(storage().getItem(`tilld.${name}`));
      } catch {
        return null;
      }
    },
    set(name, value) {
      try {
        if (value === null) storage().removeItem(`tilld.${name}`);
        else storage().setItem(`tilld.${name}`, JSON.stringify(value));
      } catch {
        // A browser that keeps nothing: then a reload begins anew, and the daemon's questions say what is open.
      }
    },
    names(prefix) {
      try {
        return Object.keys(storage()).filter((key) => key.startsWith(`tilld.${prefix}`)).map((key) => key.slice(6));
      } catch {
        return [];
      }
    },
  };
}

export const tab = drawer(() => window.sessionStorage);
export const till = drawer(() => window.localStorage);
