/* The least program: what is measured is how it is started. */
int main(void) {
    return 0;
}
