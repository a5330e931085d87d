// 5:10: unknown type name 'missing'

// evercore:event
struct Opened {
  int a; missing b;
};
